#include "net/tls_trust.h"

#include <sys/stat.h>

#include <map>
#include <mutex>
#include <tuple>

#include "net/tls_certificate.h"
#include "net/tls_error.h"

namespace postern {
namespace {

constexpr char kSystemBundle[] = "/etc/ssl/certs/ca-certificates.crt";

// The system's bundle is two megabytes of objects: one copy a process, whoever asks. Guarded by its
// lock.
struct Shelf {
  using Stamp = std::tuple<ino_t, off_t, time_t, long>;
  struct Entry {
    Stamp stamp{};
    std::weak_ptr<X509_STORE> store;
  };
  std::mutex lock;
  std::map<std::string, Entry> files;
};

Shelf& TheShelf() {
  static auto* const shelf = new Shelf;
  return *shelf;
}

Shelf::Stamp StampOf(const std::string& file) {
  struct stat facts {};
  if (stat(file.c_str(), &facts) != 0) return {};
  return {facts.st_ino, facts.st_size, facts.st_mtim.tv_sec, facts.st_mtim.tv_nsec};
}

Result<std::shared_ptr<X509_STORE>> Read(const std::string& file) {
  Status status = CheckReadable("trusted certificates", file);
  if (!status.ok()) return status;
  ERR_clear_error();
  std::shared_ptr<X509_STORE> store(X509_STORE_new(), [](X509_STORE* it) { X509_STORE_free(it); });
  if (X509_STORE_load_locations(store.get(), file.c_str(), nullptr) != 1) {
    return Status::Error("trusted certificates '" + file + "' are not usable (" + TlsErrorText() +
                         "); the file must hold PEM certificates");
  }
  ERR_clear_error();
  return store;
}

}  // namespace

Result<std::shared_ptr<X509_STORE>> TrustedCertificates(const std::string& file) {
  const std::string path = file.empty() ? kSystemBundle : file;
  Shelf& shelf = TheShelf();
  const std::lock_guard<std::mutex> guard(shelf.lock);
  Shelf::Entry& entry = shelf.files[path];
  const Shelf::Stamp stamp = StampOf(path);
  std::shared_ptr<X509_STORE> store = entry.store.lock();
  if (store != nullptr && entry.stamp == stamp) return store;
  Result<std::shared_ptr<X509_STORE>> read = Read(path);
  if (read.ok()) entry = {stamp, read.value()};
  return read;
}

}  // namespace postern
