// The request of nginx's auth_http protocol (ngx_mail_auth_http_module). Pure functions.
#pragma once

#include <string>
#include <string_view>

#include "lookup/service_url.h"
#include "postern/gateway/lookup.h"

namespace postern {

// As nginx escapes Auth-User and Auth-Pass: octets up to 0x20 and '%' as %XX, all others as they
// are. Appends; what the text outgrows is wiped.
void AppendMailAuthEscaped(std::string& text, std::string_view value);

// HTTP/1.0, as nginx asks. Holds a password: to be wiped by the caller.
std::string MailAuthRequest(const ServiceUrl& url, const LookupQuestion& question);

}  // namespace postern
