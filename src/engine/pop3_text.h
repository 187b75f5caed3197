// The lines Postern itself says in POP3, and status lines. Response codes: RFC 2449 §8, RFC 3206.
// None of them ever holds bytes of a client.
#pragma once

#include <string>
#include <string_view>

namespace postern::pop3 {

inline constexpr std::string_view kUnavailable =
    "-ERR [SYS/TEMP] no mail server can be reached, try again later\r\n";
inline constexpr std::string_view kLoginLost =
    "-ERR [SYS/TEMP] the mail server did not answer the login, try again later\r\n";
inline constexpr std::string_view kCannotExpress =
    "-ERR [SYS/PERM] the mail server offers no way to log in like this\r\n";
inline constexpr std::string_view kLoginTooLong = "-ERR [SYS/TEMP] the login took too long\r\n";
inline constexpr std::string_view kShuttingDown = "-ERR [SYS/TEMP] shutting down\r\n";
inline constexpr std::string_view kBackendGone =
    "-ERR [SYS/TEMP] the mail server ended the connection\r\n";
inline constexpr std::string_view kBackendConfused =
    "-ERR [SYS/TEMP] the mail server's answer makes no sense\r\n";
inline constexpr std::string_view kMalformedLine = "-ERR malformed line\r\n";
inline constexpr std::string_view kLongLine = "-ERR line too long\r\n";
inline constexpr std::string_view kNoSuchCommand = "-ERR no such command here\r\n";
inline constexpr std::string_view kBadArguments = "-ERR wrong arguments\r\n";

// The two kinds of status line, by their beginning and in any case, as old servers write them.
bool IsOk(std::string_view line);
bool IsErr(std::string_view line);

// What stands behind +OK or -ERR.
std::string_view StatusText(std::string_view line);
// The response code at the front of the text, without its brackets; empty when there is none.
std::string_view ResponseCode(std::string_view text);

// start, a space and the text as one line with CRLF: at most kMaxRelayedText octets, control
// characters replaced by spaces.
std::string StatusLine(std::string_view start, std::string_view text);

}  // namespace postern::pop3
