#include <dlfcn.h>
#include <link.h>
#include <uv.h>

#include <string>
#include <string_view>

#include "net/boringssl.h"
#include "postern/net/tls.h"

namespace postern {
namespace {

struct Search {
  const void* ssl;  // where BoringSSL's two parts are mapped
  const void* crypto;
  std::string found;
};

Dl_info ObjectOf(const void* symbol) {
  Dl_info info{};
  dladdr(symbol, &info);
  return info;
}

// Functions that only BoringSSL has: another library cannot stand in for them.
Dl_info SslObject() {
  return ObjectOf(reinterpret_cast<const void*>(&SSL_set_shed_handshake_config));
}
Dl_info CryptoObject() { return ObjectOf(reinterpret_cast<const void*>(&CRYPTO_has_asm)); }

bool LooksLikeTls(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  const std::string_view name = slash == std::string_view::npos ? path : path.substr(slash + 1);
  return name.rfind("libssl.so", 0) == 0 || name.rfind("libcrypto.so", 0) == 0;
}

const void* FirstAddress(const dl_phdr_info& object) {
  for (int i = 0; i < object.dlpi_phnum; ++i) {
    const auto& part = object.dlpi_phdr[i];
    if (part.p_type == PT_LOAD) {
      return reinterpret_cast<const void*>((object.dlpi_addr + part.p_vaddr) & ~ElfW(Addr){4095});
    }
  }
  return nullptr;
}

int Visit(dl_phdr_info* object, std::size_t, void* data) noexcept {
  auto& search = *static_cast<Search*>(data);
  if (object->dlpi_name == nullptr || !LooksLikeTls(object->dlpi_name)) return 0;
  const void* base = FirstAddress(*object);
  if (base == search.ssl || base == search.crypto) return 0;
  search.found = object->dlpi_name;
  return 1;
}

}  // namespace

Status CheckNoOtherTlsLibrary() {
  Search search{SslObject().dli_fbase, CryptoObject().dli_fbase, {}};
  dl_iterate_phdr(Visit, &search);
  if (search.found.empty()) return {};
  return Status::Error("another TLS library is in the process beside BoringSSL: " + search.found +
                       "; find what loads it (LD_PRELOAD, a name service module) and remove it");
}

std::string TlsLibraryText() {
  const Dl_info info = SslObject();
  const std::string file = info.dli_fname == nullptr ? "linked in" : info.dli_fname;
  return "API " + std::to_string(BORINGSSL_API_VERSION) + ", " + file;
}

std::string UvLibraryText() { return uv_version_string(); }

}  // namespace postern
