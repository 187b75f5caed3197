// POP3 capability lists (RFC 2449): what a backend can do, and what a client is told. Pure; any
// thread.
#pragma once

#include <span>
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

// Capabilities by name, in upper case. What is hidden is listed nowhere, whoever has it: "TOP" the
// line with its arguments, "AUTH=PLAIN" the mechanism within the SASL line.
using Names = std::span<const std::string>;

// What of a backend's capabilities a client is told.
struct Filter {
  MechanismSet taken;  // with which one may log in here
  Names passed;        // further ones that the backend is trusted with
  Names hidden;
};
// The body of the client's CAPA reply with its terminator: the backend's lines that Postern follows
// (TOP, UIDL, EXPIRE, LOGIN-DELAY, IMPLEMENTATION; USER where passwords are taken; of SASL the
// mechanisms that are taken) and those that are passed, in the backend's order and each once, and
// what Postern always has (PIPELINING, RESP-CODES, AUTH-RESP-CODE). Others are left out; STLS and
// XCLIENT always, because they are not for a client that is logged in.
std::string FilterCapabilities(std::string_view body, const Filter& filter);

// What a client may do before it is logged in.
struct Offer {
  MechanismSet mechanisms;  // none where no login is possible yet
  bool stls = false;
  bool utf8 = false;
  Names hidden = {};
};
// The body of the CAPA reply before login, with its terminator.
std::string OwnCapabilities(const Offer& offer);
// The body of the reply to a bare AUTH, with its terminator: a mechanism a line.
std::string MechanismList(MechanismSet mechanisms);
// Those of the mechanisms that are not hidden.
MechanismSet Shown(MechanismSet mechanisms, Names hidden);

}  // namespace postern::pop3
