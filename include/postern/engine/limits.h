// Every fixed limit of the engines, with its reason. DESIGN 2.13; configured limits are in Plan.
#pragma once

#include <cstddef>
#include <cstdint>

namespace postern {

// A command line before login. Enough for any LOGIN; 1,000 clients holding one cost 8 MB.
inline constexpr std::size_t kMaxLineBeforeLogin = 8 * 1024;
// A SASL line before login: OAuth tokens are longer than passwords.
inline constexpr std::size_t kMaxSaslLine = 16 * 1024;
// A command head after login: its lines and the literals that are gathered and judged (RFC 7162
// asks for 8192).
inline constexpr std::size_t kMaxHead = 64 * 1024;
// A literal that is gathered and judged: mailbox names, search keys, ID values, credentials.
inline constexpr std::size_t kMaxGatheredLiteral = 4 * 1024;
// List nesting in a command head, before and after login.
inline constexpr int kMaxDepthBeforeLogin = 1;
inline constexpr int kMaxDepth = 32;
// An IMAP tag; clients use up to about 10. Longer ones would only cost memory.
inline constexpr std::size_t kMaxTag = 64;
// Commands of one session that may be in flight; the next one waits in the client's socket.
inline constexpr std::size_t kMaxInFlight = 64;
// The part of a response line that is looked at; the rest is streamed.
inline constexpr std::size_t kResponseHead = 1024;
// A response line that must be read whole because it lists capabilities, and any line of a login
// dialogue.
inline constexpr std::size_t kMaxCapabilityLine = 8 * 1024;
// A backend's refusal of a login that is relayed (DESIGN 2.6).
inline constexpr std::size_t kMaxRelayedText = 512;
// A POP3 command line with CRLF (RFC 2449 §4).
inline constexpr std::size_t kMaxPop3Line = 255;
// Protocol errors in a row before login after which the session ends.
inline constexpr int kMaxErrorsBeforeLogin = 5;
// Our own replies that wait for a response boundary.
inline constexpr std::size_t kMaxPendingReplies = 64 * 1024;

// A response that may name a hidden mailbox, held until that is known: many times the longest name.
inline constexpr std::size_t kMaxHeldResponse = 64 * 1024;

}  // namespace postern
