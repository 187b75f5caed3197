// What a rule may ask of an IMAP command, read out of its head (DESIGN 1.3), and what read-only and
// hidden capabilities mean for it. Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "postern/imap/command.h"
#include "postern/imap/framer.h"
#include "postern/imap/named_mailboxes.h"
#include "postern/rules/facts.h"
#include "postern/rules/rule_set.h"

namespace postern {

// The facts of one command with the strings that they are views of.
class ImapFacts {
 public:
  // head: what follows the verb, up to the end or to the first streamed literal; the literal's size
  // then. Only what the rules ask for is gathered.
  void Gather(const SessionRules& rules, imap::CommandKind kind, std::string_view head,
              std::optional<std::uint64_t> streamed);
  // What follows a streamed literal: its URLs are mailboxes of the same command, and another
  // literal may be announced; in the same list, it is more of the same message. True when it names
  // any mailbox.
  bool GatherBehindLiteral(std::string_view part, std::optional<std::uint64_t> streamed,
                           bool in_list);
  // Valid until something is gathered.
  CommandFacts facts();

 private:
  imap::CommandKind kind_ = imap::CommandKind::kOther;
  std::vector<imap::NamedMailbox> mailboxes_;
  std::vector<std::string_view> names_;
  std::string argument_;
  std::optional<std::uint64_t> size_;
};

// The arguments decoded from their strings and joined by single spaces; lists keep their
// parentheses. The string behind an announced literal that is not there is left out.
std::string DecodedArguments(std::string_view head, bool streamed);
// Whether a FETCH with these arguments sets \Seen, by any server's reading (RFC 9051 §6.4.5).
bool SetsSeen(std::string_view head);
// Whether a capability that this command stands for is hidden: it is unknown to this client.
bool IsHidden(const SessionRules& rules, imap::CommandKind kind, bool uid);
// Whether the mark at the end of head announces a literal that may be a URL of CATENATE: a name of
// a mailbox that is not looked at.
bool MayBeUrl(std::string_view head, const imap::LiteralMark& mark);

}  // namespace postern
