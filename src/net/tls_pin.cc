#include <algorithm>
#include <optional>

#include "net/boringssl.h"
#include "net/hex.h"
#include "postern/base/text.h"
#include "postern/net/tls.h"

namespace postern {
namespace {

constexpr std::string_view kCurlPrefix = "sha256//";
constexpr std::string_view kHexPrefix = "sha256:";

}  // namespace

Result<std::string> ParsePin(std::string_view text) {
  std::string_view digest = text;
  if (StartsWithNoCase(digest, kCurlPrefix)) {
    digest.remove_prefix(kCurlPrefix.size());
  } else if (StartsWithNoCase(digest, kHexPrefix)) {
    digest.remove_prefix(kHexPrefix.size());
  }
  std::string digits(digest);
  digits.erase(std::remove(digits.begin(), digits.end(), ':'), digits.end());
  std::optional<std::string> pin = HexDecode(digits);
  if (!pin || pin->size() != SHA256_DIGEST_LENGTH) pin = Base64Decode(digest);
  if (pin && pin->size() == SHA256_DIGEST_LENGTH) return *pin;
  return Status::Error("'" + std::string(text) +
                       "' is no pin; it must be a SHA-256 digest of 32 octets: "
                       "\"sha256//BASE64\", \"sha256:HEX\", base64 or hex");
}

}  // namespace postern
