#include "server/secret_file.h"

#include <errno.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <string.h>
#include <unistd.h>

#include <array>
#include <string_view>

namespace postern {
namespace {

constexpr std::size_t kMostSecret = 4096;

// As much as the buffer takes; a failure leaves errno.
bool ReadWhole(const std::string& path, std::array<char, kMostSecret + 1>& buffer,
               std::size_t& size) {
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) return false;
  ssize_t got = 1;
  while (got > 0 && size < buffer.size()) {
    got = read(descriptor, buffer.data() + size, buffer.size() - size);
    if (got > 0) size += static_cast<std::size_t>(got);
    if (got < 0 && errno == EINTR) got = 1;
  }
  const int error = errno;
  close(descriptor);
  errno = error;
  return got >= 0;
}

}  // namespace

Result<Secret> ReadSecretFile(const std::string& path) {
  std::array<char, kMostSecret + 1> buffer{};
  std::size_t size = 0;
  const bool good = ReadWhole(path, buffer, size);
  const auto fail = [&](std::string_view why) -> Result<Secret> {
    Wipe(buffer.data(), buffer.size());
    return Status::Error(fmt::format("{}: {}", path, why));
  };
  if (!good) {
    return fail(
        fmt::format("cannot be read: {}; name a file that holds one line", strerror(errno)));
  }
  if (size > kMostSecret) return fail("longer than 4096 octets; it must hold one secret");
  std::string_view line(buffer.data(), size);
  if (line.ends_with('\n')) line.remove_suffix(1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (line.empty()) return fail("is empty; its first line must be the secret");
  if (line.find_first_of(std::string_view("\n\0", 2)) != std::string_view::npos) {
    return fail("holds more than one line of text; it must hold one secret");
  }
  Secret secret(line);
  Wipe(buffer.data(), buffer.size());
  return secret;
}

}  // namespace postern
