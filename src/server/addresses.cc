#include "server/addresses.h"

#include <sys/socket.h>

#include <algorithm>

namespace postern {
namespace {

void Keep(const std::string& text, const Address& known, const std::string& wanted, Address& out) {
  if (text == wanted && out.family() == AF_UNSPEC) out = known;
}

bool Same(const Address& a, const Address& b) {
  return a.family() == b.family() && (a.family() == AF_UNSPEC || a.Text() == b.Text());
}

}  // namespace

void KeepKnownAddresses(const Config& from, Config& to) {
  for (BackendConfig& backend : to.backends) {
    for (const BackendConfig& known : from.backends) {
      Keep(known.imap_text, known.imap, backend.imap_text, backend.imap);
      Keep(known.pop3_text, known.pop3, backend.pop3_text, backend.pop3);
    }
  }
}

bool SameAddresses(const Config& a, const Config& b) {
  return std::equal(a.backends.begin(), a.backends.end(), b.backends.begin(), b.backends.end(),
                    [](const BackendConfig& x, const BackendConfig& y) {
                      return Same(x.imap, y.imap) && Same(x.pop3, y.pop3);
                    });
}

}  // namespace postern
