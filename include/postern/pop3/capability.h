// POP3 capability lists (RFC 2449): what a backend can do, and what of it a client is told. Pure;
// any thread.
#pragma once

#include <string>
#include <string_view>

namespace postern::pop3 {

// What Postern itself needs to know of a backend.
struct Capabilities {
  bool pipelining = false;
  bool sasl_plain = false;
};

// body: a CAPA reply's lines, each with CRLF; the terminator may be there or not.
Capabilities ParseCapabilities(std::string_view body);

// The body of the client's CAPA reply with its terminator: the backend's lines that Postern follows
// (TOP, UIDL, USER, EXPIRE, LOGIN-DELAY, IMPLEMENTATION; of SASL only PLAIN), in the backend's
// order and each once, and what Postern always has (PIPELINING, RESP-CODES, AUTH-RESP-CODE).
// Unknown ones, STLS, XCLIENT, UTF8 and LANG are left out.
std::string FilterCapabilities(std::string_view body);

// The body of the CAPA reply before login, with its terminator.
std::string_view OwnCapabilities();

}  // namespace postern::pop3
