// The certificates that are trusted: files of roots, read once and shared by all workers and pools
// for as long as any of them uses them. Any thread.
#pragma once

#include <memory>
#include <string>

#include "net/boringssl.h"
#include "postern/base/status.h"

namespace postern {

// The certificates of a PEM file; empty: the system's bundle. Read again only when the file has
// changed or nobody uses it any more. Errors name the file.
Result<std::shared_ptr<X509_STORE>> TrustedCertificates(const std::string& file);

}  // namespace postern
