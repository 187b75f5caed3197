#include "postern/net/ticket_keys.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <optional>
#include <utility>

#include "net/boringssl.h"
#include "net/hex.h"
#include "postern/base/check.h"
#include "postern/base/secret.h"
#include "postern/base/text.h"

namespace postern {
namespace {

constexpr std::int64_t kPeriodSeconds = 24 * 60 * 60;
constexpr std::size_t kSecretSize = 32;
constexpr std::size_t kNameSize = 16;
constexpr std::size_t kAesSize = 16;
constexpr std::size_t kHmacSize = 32;
constexpr std::size_t kFileLimit = 64 * 1024;

const std::uint8_t* Octets(std::string_view text) {
  return reinterpret_cast<const std::uint8_t*>(text.data());
}

// RFC 5869 §2.2: any length of secret becomes one of 32 octets.
std::string Extract(std::string_view secret) {
  std::string key(EVP_MAX_MD_SIZE, '\0');
  std::size_t size = 0;
  POSTERN_CHECK(HKDF_extract(reinterpret_cast<std::uint8_t*>(key.data()), &size, EVP_sha256(),
                             Octets(secret), secret.size(), nullptr, 0) == 1);
  POSTERN_CHECK(size == kSecretSize);
  key.resize(size);
  return key;
}

std::string_view Trim(std::string_view line) {
  constexpr std::string_view kSpace = " \t\r";
  const std::size_t begin = line.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return line.substr(begin, line.find_last_not_of(kSpace) - begin + 1);
}

std::optional<std::string> DecodeLine(std::string_view line) {
  std::optional<std::string> secret = HexDecode(line);
  if (!secret) secret = Base64Decode(line);
  if (secret && secret->size() >= kSecretSize) return secret;
  return {};
}

Result<std::string> ReadAll(const std::string& path) {
  std::FILE* opened = std::fopen(path.c_str(), "rbe");
  if (opened == nullptr) {
    return Status::Error("ticket keys '" + path + "' cannot be read: " + std::strerror(errno) +
                         "; give the path of a file that this process may read");
  }
  std::string content(kFileLimit + 1, '\0');
  content.resize(std::fread(content.data(), 1, content.size(), opened));
  std::fclose(opened);
  if (!content.empty() && content.size() <= kFileLimit) return content;
  Wipe(content);
  return Status::Error("ticket keys '" + path + "' is empty, too long or not a file");
}

}  // namespace

// A secret of one day.
struct TicketKeys::Period {
  Period(std::int64_t day, std::string_view bytes) : number(day) {
    POSTERN_CHECK(bytes.size() == secret.size());
    std::memcpy(secret.data(), bytes.data(), secret.size());
  }
  ~Period() { Wipe(secret.data(), secret.size()); }
  Period(const Period&) = default;
  Period& operator=(const Period&) = default;

  // RFC 5869 §2.3: the three parts of the key, bound to the day and the policy.
  Key Derive(std::string_view policy) const {
    const std::string info = "postern ticket " + std::to_string(number) + " " + std::string(policy);
    std::array<std::uint8_t, kNameSize + kAesSize + kHmacSize> octets{};
    POSTERN_CHECK(HKDF_expand(octets.data(), octets.size(), EVP_sha256(), secret.data(),
                              secret.size(), Octets(info), info.size()) == 1);
    const char* at = reinterpret_cast<const char*>(octets.data());
    Key key{{at, kNameSize}, {at + kNameSize, kAesSize}, {at + kNameSize + kAesSize, kHmacSize}};
    Wipe(octets.data(), octets.size());
    return key;
  }

  std::int64_t number;
  std::array<std::uint8_t, kSecretSize> secret{};
};

TicketKeys::TicketKeys(WallClock clock) : TicketKeys({}, std::move(clock)) {}

TicketKeys::TicketKeys(std::vector<std::string> secrets, WallClock clock)
    : clock_(clock ? std::move(clock) : [] { return std::int64_t{std::time(nullptr)}; }) {
  for (std::string& secret : secrets) {
    secrets_.push_back(Extract(secret));
    Wipe(secret);
  }
}

TicketKeys::~TicketKeys() {
  for (std::string& secret : secrets_) Wipe(secret);
}

// The one that seals first, then those that only open.
std::vector<TicketKeys::Period> TicketKeys::PeriodsNow() {
  const std::int64_t today = clock_() / kPeriodSeconds;
  const std::lock_guard<std::mutex> guard(lock_);
  if (secrets_.empty()) {
    Rotate(today);
    return random_;
  }
  std::vector<Period> periods;
  periods.reserve(3 * secrets_.size());
  for (const std::string& secret : secrets_) {
    periods.emplace_back(today, secret);
    periods.emplace_back(today - 1, secret);
    periods.emplace_back(today + 1, secret);  // of a machine whose clock is ahead
  }
  return periods;
}

// A clock that was set back changes nothing: the newest key goes on sealing.
void TicketKeys::Rotate(std::int64_t today) {
  if (!random_.empty() && random_.front().number >= today) return;
  std::vector<Period> kept;
  kept.reserve(2);
  std::array<std::uint8_t, kSecretSize> fresh;
  POSTERN_CHECK(RAND_bytes(fresh.data(), fresh.size()) == 1);
  kept.emplace_back(today,
                    std::string_view(reinterpret_cast<const char*>(fresh.data()), fresh.size()));
  Wipe(fresh.data(), fresh.size());
  for (const Period& old : random_) {
    if (old.number == today - 1) kept.push_back(old);
  }
  random_.swap(kept);
}

TicketKeys::Key TicketKeys::Current(std::string_view policy) {
  return PeriodsNow().front().Derive(policy);
}

bool TicketKeys::Find(std::string_view policy, std::string_view name, Key& key, bool& renew) {
  const std::vector<Period> periods = PeriodsNow();
  for (std::size_t i = 0; i < periods.size(); ++i) {
    key = periods[i].Derive(policy);
    if (key.name != name) continue;
    renew = i > 0;
    return true;
  }
  Wipe(key.aes);
  Wipe(key.hmac);
  return false;
}

Result<std::vector<std::string>> TicketKeys::ReadFile(const std::string& path) {
  Result<std::string> read = ReadAll(path);
  if (!read.ok()) return read.error();
  std::string& content = read.value();
  if (content.size() == 48 || content.size() == 80) {
    return std::vector<std::string>{std::move(content)};
  }
  std::vector<std::string> secrets;
  std::string_view rest = content;
  for (std::size_t number = 1; !rest.empty(); ++number) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = Trim(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (line.empty()) continue;
    std::optional<std::string> secret = DecodeLine(line);
    if (!secret) {
      Wipe(content);
      return Status::Error("ticket keys '" + path + "' line " + std::to_string(number) +
                           " is no secret; each line must be at least 32 octets in base64 or hex, "
                           "or the whole file 48 or 80 octets");
    }
    secrets.push_back(std::move(*secret));
  }
  Wipe(content);
  if (secrets.empty()) return Status::Error("ticket keys '" + path + "' has no secret in it");
  return secrets;
}

}  // namespace postern
