// The beginning of a response line (RFC 9051 §7): who it is for and what it says. Pure; any thread.
#pragma once

#include <cstdint>
#include <string_view>

namespace postern::imap {

struct ResponseHead {
  enum class Kind : std::uint8_t { kUntagged, kTagged, kContinuation, kMalformed };
  enum class Status : std::uint8_t { kNone, kOk, kNo, kBad, kBye, kPreauth };
  Kind kind = Kind::kMalformed;
  std::string_view tag;  // kTagged only
  Status status = Status::kNone;
  // Untagged data: its first word ("CAPABILITY", "5"). Status responses: what follows the status
  // and a space.
  std::string_view word;
  std::string_view text;
  // The inside of a response code's brackets, "" when there is none.
  std::string_view code;
};

// line: a whole line without CRLF, or the first part of a long one. Views into it. Any case of the
// status words and an empty text are accepted (DESIGN 2.14).
ResponseHead ParseResponseHead(std::string_view line);

// True when the code begins with this name: CodeIs("CAPABILITY IDLE", "CAPABILITY").
bool CodeIs(std::string_view code, std::string_view name);

}  // namespace postern::imap
