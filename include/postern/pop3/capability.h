// POP3 capability lists (RFC 2449): what a backend can do, and what a client is told. Pure; any
// thread.
#pragma once

#include <string>
#include <string_view>

#include "postern/base/mechanism.h"

namespace postern::pop3 {

// What Postern itself needs to know of a backend.
struct Capabilities {
  bool pipelining = false;
  bool user = false;     // USER and PASS
  bool stls = false;     // RFC 2595
  bool utf8 = false;     // RFC 6856
  bool xclient = false;  // takes the client's address from a proxy it trusts, as Dovecot does
  MechanismSet sasl;     // those that Postern knows
};

// body: a CAPA reply's lines, each with CRLF; the terminator may be there or not.
Capabilities ParseCapabilities(std::string_view body);

// The body of the client's CAPA reply with its terminator: the backend's lines that Postern follows
// (TOP, UIDL, EXPIRE, LOGIN-DELAY, IMPLEMENTATION; USER where passwords are taken; of SASL the
// mechanisms that are taken), in the backend's order and each once, and what Postern always has
// (PIPELINING, RESP-CODES, AUTH-RESP-CODE). Unknown ones, STLS, XCLIENT, UTF8 and LANG are left
// out.
std::string FilterCapabilities(std::string_view body, MechanismSet taken);

// What a client may do before it is logged in.
struct Offer {
  MechanismSet mechanisms;  // none where no login is possible yet
  bool stls = false;
};
// The body of the CAPA reply before login, with its terminator.
std::string OwnCapabilities(const Offer& offer);
// The body of the reply to a bare AUTH, with its terminator: a mechanism a line.
std::string MechanismList(MechanismSet mechanisms);

}  // namespace postern::pop3
