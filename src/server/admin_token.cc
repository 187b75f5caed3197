// ReadAdminToken of admin_api.h.
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include "postern/server/admin_api.h"

namespace postern {
namespace {

constexpr std::size_t kLongest = 1024;

}  // namespace

Result<Secret> ReadAdminToken(const std::string& path) {
  const auto error = [&path](const std::string& what) {
    return Status::Error("admin.token_file " + path + ": " + what);
  };
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "re"),
                                                             &std::fclose);
  if (file == nullptr) return error(std::strerror(errno));
  std::setvbuf(file.get(), nullptr, _IONBF, 0);
  std::array<char, kLongest + 2> bytes{};
  std::size_t size = std::fread(bytes.data(), 1, bytes.size(), file.get());
  if (std::ferror(file.get()) != 0) return error("cannot be read");
  if (size > 0 && bytes[size - 1] == '\n') --size;
  if (size > 0 && bytes[size - 1] == '\r') --size;
  Secret token(std::string_view(bytes.data(), size));
  Wipe(bytes.data(), bytes.size());
  if (token.empty()) return error("is empty; `openssl rand -hex 32` makes a token");
  if (size > kLongest) return error("has more than 1024 bytes; must hold one line");
  const std::string_view text = token.Reveal();
  if (std::any_of(text.begin(), text.end(), [](char c) { return c <= ' ' || c > '~'; })) {
    return error("must hold one line without spaces, in ASCII; `openssl rand -hex 32` makes one");
  }
  return token;
}

}  // namespace postern
