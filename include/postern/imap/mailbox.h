// Names of mailboxes: how a backend may read what a client wrote (RFC 3501 §5.1), and the mailbox
// that an IMAP URL names (RFC 5092). Pure; any thread. Knows no backend: where servers differ, all
// their readings are given.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::imap {

// Every way in which a backend may read a mailbox name that was decoded from its atom, quoted
// string or literal: the name as it is; modified UTF-7 as UTF-8 (also encodings that RFC 3501
// §5.1.3 forbids but servers take: of ASCII, without the closing minus, with bits to spare; what
// cannot be decoded stays as it is); what stands before a NUL that was encoded; INBOX in any case,
// alone or before a hierarchy separator, as "INBOX"; without separators at its ends and with
// doubled ones made one. Separators are / . and \.
// out's first strings are overwritten and keep their room; returns how many are readings: at least
// one (the name itself, first), none twice. out never shrinks.
std::size_t MailboxReadings(std::string_view name, std::vector<std::string>& out);

// The mailbox of an IMAP URL, `imap://host/box;UIDVALIDITY=1/;UID=2` or `/box/;UID=2`, with %XX
// decoded and . and .. segments resolved; to be read by MailboxReadings like any other. Nothing
// when the URL names none: it ends at the host, or is relative to the selected mailbox (;UID=2).
std::optional<std::string> DecodeUrlMailbox(std::string_view url);

}  // namespace postern::imap
