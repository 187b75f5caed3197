// The command that logs a client in at an IMAP backend (DESIGN 2.6, 2.15): LOGIN stays LOGIN, PLAIN
// stays PLAIN where the backend offers it, tokens go by their own mechanism only. Pure; any thread.
#pragma once

#include <string_view>
#include <vector>

#include "postern/imap/capability.h"
#include "postern/sasl/sasl.h"

namespace postern {

struct ImapLoginCommand {
  enum class Way : std::uint8_t {
    kFound,
    kNoMechanism,  // the backend does not have the client's mechanism, and no other will do
    kNone,         // the backend takes no password, or not for another user
  };
  Way way = Way::kNone;
  // With CRLF; each but the first waits for the backend's `+`.
  std::vector<Secret> parts;
};

// known: what the backend advertised; nothing when it was not asked. No byte of a name or a
// password can be anything else (SECURITY T-INJ-1).
ImapLoginCommand MakeImapLogin(std::string_view tag, const Credentials& credentials,
                               Mechanism mechanism, const imap::CapabilitySet& known);

}  // namespace postern
