// Facts: what a rule may ask of a session and of one command (DESIGN 1.3), and the stage at which
// each becomes known. Values and views; pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "postern/base/address.h"
#include "postern/base/ids.h"
#include "postern/base/mechanism.h"

namespace postern {

enum class Stage : std::uint8_t { kConnection, kTls, kLogin, kCommand };

enum class Fact : std::uint8_t {
  kProtocol,
  kListener,
  kClient,
  kTime,
  kSni,
  kTlsVersion,
  kTlsCipher,
  kClientCert,
  kUser,
  kDomain,
  kMechanism,
  kClientId,
  kPool,
  kCommand,
  kMailbox,
  kArgument,
  kSize,
};
inline constexpr std::size_t kFactCount = 17;

// "tls_version"; static.
std::string_view FactName(Fact fact);
std::optional<Fact> FindFact(std::string_view name);
Stage StageOf(Fact fact);
// "connection", "tls", "login", "command".
std::string_view StageName(Stage stage);

// kNone: no TLS.
enum class TlsVersion : std::uint8_t { kNone, k10, k11, k12, k13 };
// "1.2"; nothing for any other text.
std::optional<TlsVersion> FindTlsVersion(std::string_view text);

// What is the same for the whole session, as far as it is known: an empty text or nullopt is a
// missing fact, for which a condition of `if` is false and one of `unless` does not apply.
struct SessionFacts {
  Protocol protocol = Protocol::kImap;
  ListenerId listener = 0;
  Address client;
  std::int64_t time = 0;  // seconds since 1970; 0: not known
  std::string_view sni;
  TlsVersion tls_version = TlsVersion::kNone;
  std::string_view tls_cipher;   // IANA name
  std::string_view client_cert;  // the subject of a verified client certificate
  std::string_view user;         // as the client gave it (PlainUser), before any rewriting
  std::optional<Mechanism> mechanism;
  std::string_view client_name;  // of ID; empty: it said none
  std::string_view client_version;
  PoolId pool = kNoPool;
};

// The name without what backends may strip or overlook at its ends: spaces, control octets, the dot
// behind a domain (SECURITY T-ID-5). What rules, limits, lookups and the choice of a backend go by;
// the backend gets what the client said. A view into user.
std::string_view PlainUser(std::string_view user);

// One command.
struct CommandFacts {
  std::uint8_t command = 0;  // imap::CommandKind or pop3::CommandKind
  // Every mailbox the command names, decoded from atom, quoted string or literal, still in the
  // encoding of the wire: the rules try all its readings (modified UTF-7, UTF-8).
  std::span<const std::string_view> mailboxes;
  std::string_view argument;          // all of the arguments, decoded, joined by one space
  std::optional<std::uint64_t> size;  // octets of the literal that is announced
  std::int64_t time = 0;              // seconds since 1970
};

}  // namespace postern
