// BoringSSL's error queue as a sentence.
#pragma once

#include <string>

namespace postern {

// The oldest error of TLS itself in this thread's queue, else the oldest of all, which is the cause
// of the others: "tls: no_application_protocol". Empties the queue.
std::string TlsErrorText();

}  // namespace postern
