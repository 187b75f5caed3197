// SASL as a gateway needs it: what a client's messages say, and the messages for a backend: PLAIN
// (RFC 4616), LOGIN, XOAUTH2 and OAUTHBEARER (RFC 7628). Pure; any thread. Knows nothing of the
// protocol that carries it. What it lets through holds no NUL, CR or LF, so that no field can
// become a line of its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "postern/base/mechanism.h"
#include "postern/base/secret.h"
#include "postern/base/status.h"

namespace postern {

// Names and passwords, decoded. Dovecot's own limit for a SASL message is 8192.
inline constexpr std::size_t kMaxUser = 1024;
inline constexpr std::size_t kMaxPassword = 8 * 1024;
// A client's answer to an OAuth challenge that is relayed (DESIGN 2.15), octets without CRLF.
inline constexpr std::size_t kMaxChallengeAnswer = 64;

// Who asks to log in. A value with one owner; the password is wiped with it.
struct Credentials {
  std::string authzid;  // on whose behalf; mostly empty
  std::string user;
  // The password; of the OAuth mechanisms the whole value of "auth=", "Bearer TOKEN".
  Secret password;

  // Whose mailbox it will be: authzid if given, else user. Valid as long as the credentials.
  std::string_view login_name() const { return authzid.empty() ? user : authzid; }
};

// Ok when the fields may be sent to a backend: a user is there, none is too long, none holds NUL,
// CR or LF (everything else is allowed: Latin-1 passwords exist). Errors name the field and never
// its content.
Status CheckCredentials(const Credentials& credentials);

// One exchange as a server sees it: the client's lines in, our challenges and in the end the
// credentials out. Gone when the credentials were taken; wiped with it.
class SaslExchange {
 public:
  explicit SaslExchange(Mechanism mechanism) : mechanism_(mechanism) {}

  enum class Outcome : std::uint8_t {
    kChallenge,    // send challenge(), expect another line
    kCredentials,  // complete and checked: Take() them
    kCancelled,    // the client said "*"
    kMalformed,    // complaint() says why; never bytes of the message
  };
  // The command line's initial response ("=" is the empty one), or none.
  Outcome Begin(std::optional<std::string_view> initial_response);
  // The next line of the client, without CRLF.
  Outcome Next(std::string_view line);

  Mechanism mechanism() const { return mechanism_; }
  // Base64, what follows "+ ": empty for PLAIN and the OAuth mechanisms, "VXNlcm5hbWU6" and
  // "UGFzc3dvcmQ6" for LOGIN. Static.
  std::string_view challenge() const { return challenge_; }
  // A sentence for people. Valid until the next call.
  std::string_view complaint() const { return complaint_; }
  Credentials Take();

 private:
  Outcome Finish(Result<Credentials> decoded);
  Outcome OnLogin(std::string_view base64);

  const Mechanism mechanism_;
  bool has_user_ = false;  // LOGIN: the next line is the password
  std::string_view challenge_;
  std::string complaint_;
  Credentials credentials_;
};

// A single message in base64 (PLAIN, XOAUTH2, OAUTHBEARER), without CRLF. Errors are sentences for
// people that never hold bytes of the message.
Result<Credentials> DecodeMessage(Mechanism mechanism, std::string_view base64);
// The same message for a backend, in base64, without CRLF, in its canonical form: OAUTHBEARER names
// neither host nor port, because the client's are the gateway's.
Secret EncodeMessage(Mechanism mechanism, const Credentials& credentials);

}  // namespace postern
