// ReadAdminToken of admin_api.h.
#include <algorithm>

#include "postern/server/admin_api.h"
#include "server/secret_file.h"

namespace postern {
namespace {

// A request has 4 KiB in all.
constexpr std::size_t kLongest = 1024;

}  // namespace

Result<Secret> ReadAdminToken(const std::string& path) {
  const auto error = [](const std::string& what) {
    return Status::Error("admin.token_file " + what + "; `openssl rand -hex 32` makes a token");
  };
  Result<Secret> token = ReadSecretFile(path);
  if (!token.ok()) return error(token.error().message());
  const std::string_view text = token.value().Reveal();
  // It travels in a header.
  if (text.size() > kLongest) return error(path + ": has more than 1024 octets");
  if (std::any_of(text.begin(), text.end(), [](char c) { return c <= ' ' || c > '~'; })) {
    return error(path + ": must hold one line without spaces, in ASCII");
  }
  return token;
}

}  // namespace postern
