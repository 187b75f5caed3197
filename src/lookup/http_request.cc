#include "lookup/http_request.h"

#include "postern/base/secret.h"

namespace postern {
namespace {

std::string_view MethodOf(Mechanism mechanism) {
  switch (mechanism) {
    case Mechanism::kXoauth2:
      return "xoauth2";
    case Mechanism::kOauthbearer:
      return "oauthbearer";
    case Mechanism::kLogin:
    case Mechanism::kPlain:
    case Mechanism::kUser:
      break;
  }
  return "plain";
}

void AppendField(std::string& text, std::string_view name, std::string_view value) {
  text.append(name).append(": ").append(value).append("\r\n");
}

}  // namespace

void AppendMailAuthEscaped(std::string& text, std::string_view value) {
  constexpr char kHex[] = "0123456789ABCDEF";
  for (const char c : value) {
    const auto octet = static_cast<unsigned char>(c);
    if (octet > 0x20 && c != '%') {
      AppendSecret(text, {&c, 1});
    } else {
      const char escaped[] = {'%', kHex[octet >> 4], kHex[octet & 15]};
      AppendSecret(text, {escaped, sizeof escaped});
    }
  }
}

std::string MailAuthRequest(const ServiceUrl& url, const LookupQuestion& question) {
  const bool brackets = url.host.find(':') != std::string::npos;
  std::string text = "GET " + url.path + " HTTP/1.0\r\n";
  AppendField(text, "Host", brackets ? "[" + url.host + "]" : url.host);
  AppendField(text, "Auth-Method", MethodOf(question.mechanism));
  text += "Auth-User: ";
  AppendMailAuthEscaped(text, question.user);
  AppendSecret(text, "\r\nAuth-Pass: ");
  AppendMailAuthEscaped(text, question.password.Reveal());
  // From here on memory that is outgrown has the password in it.
  std::string rest = "\r\n";
  AppendField(rest, "Auth-Protocol", ProtocolName(question.protocol));
  AppendField(rest, "Auth-Login-Attempt", std::to_string(question.attempt));
  AppendField(rest, "Client-IP", question.client.HostText());
  rest += "\r\n";
  AppendSecret(text, rest);
  return text;
}

}  // namespace postern
