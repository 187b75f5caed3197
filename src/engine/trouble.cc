#include "postern/engine/trouble.h"

namespace postern {
namespace {

std::string Join(std::string_view code, std::string_view text) {
  std::string joined(code);
  if (!code.empty() && !text.empty()) joined.append(" ");
  return joined.append(text);
}

const TroubleCodes& CodesOf(Trouble trouble) {
  return kTroubleCodes[static_cast<std::size_t>(trouble)];
}

}  // namespace

std::string ImapText(Trouble trouble, std::string_view text) {
  return Join(CodesOf(trouble).imap, text);
}

std::string Pop3Line(Trouble trouble, std::string_view text) {
  return "-ERR " + Join(CodesOf(trouble).pop3, text) + "\r\n";
}

}  // namespace postern
