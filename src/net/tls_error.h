// BoringSSL's error queue as a sentence.
#pragma once

#include <string>

namespace postern {

// The oldest error of this thread's queue, which is the cause of the others: "tls: no_application_protocol".
// Empties the queue.
std::string TlsErrorText();

}  // namespace postern
