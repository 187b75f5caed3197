// What Postern says to a backend of the client's address, ahead of the login (DESIGN 2.7): the ID
// of an IMAP backend (RFC 2971, with the keys that Dovecot takes from a proxy it trusts) and the
// XCLIENT of a POP3 backend, as Dovecot 2.3 reads it. Pure; any thread. No byte of a fact can be
// anything but a part of its value: what cannot be said safely is left out.
#pragma once

#include <string>

#include "postern/engine/engine.h"

namespace postern {

// `ID ("x-originating-ip" "192.0.2.7" ...)`, or `ID NIL` when nothing is known; without tag and
// CRLF.
std::string ImapId(const ClientFacts& client);
// `XCLIENT ADDR=192.0.2.7 PORT=50143`, without CRLF; empty when the address is no numeric one.
std::string Pop3Xclient(const ClientFacts& client);

}  // namespace postern
