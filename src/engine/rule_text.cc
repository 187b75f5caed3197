#include "postern/engine/rule_text.h"

namespace postern {

std::string_view DefaultText(Action action) {
  switch (action) {
    case Action::kRequireTls:
      return "use a newer version of TLS";
    case Action::kLimit:
      return "too many sessions at the same time";
    case Action::kReadOnly:
      return "this mailbox is read-only";
    case Action::kHide:
      return "there is no such mailbox";
    case Action::kAllow:
    case Action::kDeny:
    case Action::kDisconnect:
    case Action::kRoute:
    case Action::kRewriteUser:
    case Action::kDelay:
    case Action::kLog:
      return "not permitted here";
  }
  return {};
}

}  // namespace postern
