// The words Postern itself says in POP3, and status lines. Which response code stands before them
// is the trouble table's business (engine/trouble.h). None of them ever holds bytes of a client.
#pragma once

#include <string>
#include <string_view>

#include "postern/engine/trouble.h"

namespace postern::pop3 {

// An -ERR of ours: what is wrong, and a sentence for people. A value; the text is a constant, or
// lives as long as what said it.
struct Complaint {
  Trouble trouble = Trouble::kClientBug;
  std::string_view text;

  // "-ERR [SYS/TEMP] text\r\n".
  std::string Line() const { return Pop3Line(trouble, text); }
};

inline constexpr Complaint kNoBackend{Trouble::kUnavailable,
                                      "no mail server can be reached, try again later"};
inline constexpr Complaint kLoginLost{Trouble::kUnavailable,
                                      "the mail server did not answer the login, try again later"};
inline constexpr Complaint kLoginTooLong{Trouble::kUnavailable, "the login took too long"};
inline constexpr Complaint kShuttingDown{Trouble::kUnavailable, "shutting down"};
inline constexpr Complaint kKicked{Trouble::kUnavailable, "this session was ended by the operator"};
inline constexpr Complaint kReplaced{Trouble::kLimit,
                                     "another session of yours has taken the place of this one"};
inline constexpr Complaint kBackendGone{Trouble::kUnavailable,
                                        "the mail server ended the connection"};
inline constexpr Complaint kBackendConfused{Trouble::kUnavailable,
                                            "the mail server's answer makes no sense"};

inline constexpr Complaint kTlsRequired{Trouble::kTlsRequired,
                                        "no login without TLS: switch it on in the mail program"};

inline constexpr Complaint kNoSuchMechanism{Trouble::kMechanism, "no such mechanism here"};
inline constexpr Complaint kNoPasswords{Trouble::kMechanism,
                                        "passwords are not taken here, use another mechanism"};
inline constexpr Complaint kCannotExpress{Trouble::kMechanism,
                                          "the mail server offers no way to log in like this"};
inline constexpr Complaint kBackendLacksUtf8{Trouble::kMechanism,
                                             "the mail server does not offer UTF8"};

inline constexpr Complaint kCancelled{Trouble::kCancelled, "cancelled"};

inline constexpr Complaint kMalformedLine{Trouble::kClientBug, "malformed line"};
inline constexpr Complaint kLongLine{Trouble::kClientBug, "line too long"};
inline constexpr Complaint kNoSuchCommand{Trouble::kClientBug, "no such command here"};
inline constexpr Complaint kBadArguments{Trouble::kClientBug, "wrong arguments"};
inline constexpr Complaint kUserFirst{Trouble::kClientBug, "USER comes first"};

// The two kinds of status line, by their beginning and in any case, as old servers write them.
bool IsOk(std::string_view line);
bool IsErr(std::string_view line);
// The third, which only an AUTH has (RFC 5034 §4): "+" and not "+OK".
bool IsContinuation(std::string_view line);

// What stands behind +OK, -ERR or +.
std::string_view StatusText(std::string_view line);
// The response code at the front of the text, without its brackets; empty when there is none.
std::string_view ResponseCode(std::string_view text);

// start, a space and the text as one line with CRLF: at most kMaxRelayedText octets, control
// characters replaced by spaces.
std::string StatusLine(std::string_view start, std::string_view text);
// The backend's refusal of a login, for the client: its code, or ours where it gave none.
std::string RefusalLine(std::string_view text);
// A refusal in the words of a rule, a limit or a lookup.
std::string DenialLine(Trouble trouble, std::string_view text);
// The backend's challenge, for the client: as StatusLine, and never cut, because half of it would
// be another one.
std::string ChallengeLine(std::string_view text);

}  // namespace postern::pop3
