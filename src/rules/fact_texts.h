// How the texts that rules match with patterns are compared: what a fact's text is made of, and in
// which encoding and case. Pure; any thread.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include "postern/rules/facts.h"

namespace postern {

enum class TextKind : std::uint8_t {
  kNone,    // not matched by patterns
  kFolded,  // octets; ASCII letters of the text in lower case, the pattern without regard to case
  kOctets,  // octets
  kUtf8,    // characters; text that is not UTF-8 has been made so
};
TextKind KindOf(Fact fact);

// Longer ones are not matched but count as undecidable: cut texts would dodge what is anchored.
inline constexpr std::size_t kMaxText = 4096;
inline constexpr std::size_t kMaxUser = 1024;
inline constexpr std::size_t kMaxCommandText = 64 * 1024;
std::size_t MaxLength(Fact fact);
// Readings of the mailboxes of one command: more are undecidable too, so that no command takes
// milliseconds.
inline constexpr std::size_t kMaxReadings = 1024;

// What follows the last @; empty when there is none.
std::string_view DomainOf(std::string_view user);

// text with ASCII letters in lower case, in out.
void Fold(std::string_view text, std::string& out);
// text in out as valid UTF-8: each octet that belongs to no character as the Latin-1 character of
// its value. What is valid stays as it is. Names in either encoding so have a reading.
void MakeUtf8(std::string_view text, std::string& out);
bool IsUtf8(std::string_view text);

// The readings of a client's ID: "name", "name version", "name/version", folded. Returns how many:
// 0 without a name, 1 without a version.
std::size_t ClientIdReadings(const SessionFacts& facts, std::array<std::string, 3>& out);

// INBOX as the first component of a name or of a pattern, in upper case, in place.
void RaiseInbox(std::string& name);
// A pattern for mailboxes in which a leading INBOX means any case.
std::string MailboxPattern(std::string_view pattern);

}  // namespace postern
