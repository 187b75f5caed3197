// postern ctl: asks a running gateway over its admin listener, and prints the answer for people.
// Blocks; for the command line. Knows no sessions and no configuration but where the gateway is.
#pragma once

#include <iosfwd>
#include <string>

namespace postern {

struct CtlRequest {
  enum class Verb { kSessions, kKick, kBackends, kDrain, kUndrain, kReload, kStatus };
  Verb verb = Verb::kStatus;
  std::string config = "/etc/postern/postern.toml";
  std::string address;  // instead of the configuration's admin.address
  std::string subject;  // the session's id, or POOL/BACKEND
  std::string window = "30s";
  bool json = false;
};

// Exit status of RunCtl; 2 is the command line's own.
inline constexpr int kCtlFine = 0;
inline constexpr int kCtlRefused = 1;      // or something is not well
inline constexpr int kCtlUnreachable = 3;  // no answer from the gateway

int RunCtl(const CtlRequest& request, std::ostream& out, std::ostream& err);
// Which of its commands does what, and examples: the end of `postern ctl --help`.
extern const char kCtlHelp[];

}  // namespace postern
