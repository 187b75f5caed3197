// ImapProbe and Pop3Probe: what a probe says to a backend and what it makes of the answers: the
// greeting, TLS where the pool wants it, the capabilities, a login where there is an account.
// Pure: bytes in, bytes and a verdict out; one per connection; one thread. They never say anything
// that changes a mailbox.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "postern/engine/plan.h"
#include "postern/imap/framer.h"
#include "postern/imap/response.h"
#include "postern/pop3/framer.h"
#include "postern/sasl/sasl.h"

namespace postern {

// What a backend said it can do, before the login and behind its TLS.
struct ProbeFindings {
  std::vector<std::string> imap;
  bool pop3_utf8 = false;

  friend bool operator==(const ProbeFindings&, const ProbeFindings&) = default;
};

enum class ProbeVerdict : std::uint8_t {
  kGoing,     // more has to come
  kStartTls,  // TLS begins now; OnSecured() when it is there
  kPassed,
  kFailed,  // complaint() says why
};

class ImapProbe {
 public:
  // login: whom to log in; null for nobody; outlives the probe.
  ImapProbe(PoolTls tls, const Credentials* login) : tls_(tls), login_(login) {}

  // The next bytes, all of which are taken. Not after a verdict.
  ProbeVerdict OnBytes(std::string_view bytes);
  ProbeVerdict OnSecured();
  // To be sent to the backend; whoever sends it clears it.
  Secret& output() { return output_; }
  // What the backend owes: "its greeting".
  std::string_view awaited() const;
  const std::string& complaint() const { return complaint_; }
  const ProbeFindings& findings() const { return findings_; }

 private:
  enum class State : std::uint8_t {
    kGreeting,
    kTlsCapability,
    kStarttls,
    kSecuring,
    kCapability,
    kAuthenticate,  // waits for the + before the message
    kLogin,
  };
  ProbeVerdict OnLine(std::string_view line);
  ProbeVerdict OnTagged(const imap::ResponseHead& head, std::string_view line);
  ProbeVerdict LogIn();
  ProbeVerdict Ask(State state, std::string_view command);
  ProbeVerdict Pass();
  ProbeVerdict Fail(std::string_view what, std::string_view line = {});

  const PoolTls tls_;
  const Credentials* const login_;
  State state_ = State::kGreeting;
  imap::ResponseFramer framer_;
  std::string input_;
  Secret output_;
  std::string complaint_;
  ProbeFindings findings_;
};

class Pop3Probe {
 public:
  Pop3Probe(PoolTls tls, const Credentials* login) : tls_(tls), login_(login) {}

  // As ImapProbe's.
  ProbeVerdict OnBytes(std::string_view bytes);
  ProbeVerdict OnSecured();
  Secret& output() { return output_; }
  std::string_view awaited() const;
  const std::string& complaint() const { return complaint_; }
  const ProbeFindings& findings() const { return findings_; }

 private:
  enum class State : std::uint8_t { kGreeting, kCapa, kStls, kSecuring, kUser, kAuth, kLogin };
  ProbeVerdict OnFrame(const pop3::Frame& frame, std::string_view bytes);
  ProbeVerdict OnLine(std::string_view line);
  ProbeVerdict OnCapabilities();
  ProbeVerdict LogIn();
  ProbeVerdict Ask(State state, std::string_view command);
  ProbeVerdict Pass();
  ProbeVerdict Fail(std::string_view what, std::string_view line = {});

  const PoolTls tls_;
  const Credentials* const login_;
  State state_ = State::kGreeting;
  bool secured_ = false;
  pop3::ReplyFramer framer_;
  std::string input_;
  std::string listed_;  // the body of CAPA
  Secret output_;
  std::string complaint_;
  ProbeFindings findings_;
};

}  // namespace postern
