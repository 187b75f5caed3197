#include <dlfcn.h>

#include <catch2/catch.hpp>
#include <cmath>
#include <filesystem>
#include <string>

#include "postern/net/tls.h"
#include "unit/net/tls_fixture.h"

namespace postern {
namespace {

std::string ErrorOf(const TlsSettings& settings) {
  const auto result = TlsContext::ForServer(settings);
  return result.ok() ? std::string() : result.error().message();
}

bool Names(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST_CASE("a context tells when its certificate ends", "[net][tls]") {
  const TemporaryFolder folder;
  const auto context = MakeContext(MakeSettings(folder, MakeIdentity(KeyKind::kP256)));
  CHECK(context->not_after() == kNotAfter);
}

TEST_CASE("an unusable certificate or key is named with what to do", "[net][tls]") {
  const TemporaryFolder folder;
  const Identity identity = MakeIdentity(KeyKind::kP256);
  TlsSettings settings = MakeSettings(folder, identity);
  REQUIRE(ErrorOf(settings).empty());

  SECTION("no chain file") {
    settings.chain_file = folder.Path("missing.pem");
    CHECK(Names(ErrorOf(settings), "certificate chain '" + settings.chain_file +
                                       "' cannot be read: No such file or directory"));
  }
  SECTION("no key file") {
    settings.key_file = folder.Path("missing.pem");
    CHECK(Names(ErrorOf(settings), "private key '" + settings.key_file + "' cannot be read"));
  }
  SECTION("a folder for a chain") {
    settings.chain_file = folder.Path("");
    CHECK(Names(ErrorOf(settings), "is empty or not a file"));
  }
  SECTION("nonsense for a chain") {
    settings.chain_file = folder.Write("nonsense.pem", "nonsense\n");
    CHECK(Names(ErrorOf(settings), "nonsense.pem' is not usable (tls: no_start_line)"));
  }
  SECTION("a chain that is cut") {
    settings.chain_file = folder.Write("cut.pem", identity.chain.substr(0, 300));
    CHECK(Names(ErrorOf(settings), "cut.pem' is not usable"));
  }
  SECTION("a certificate for a key") {
    settings.key_file = settings.chain_file;
    CHECK(Names(ErrorOf(settings), "it must be a PEM private key without a password"));
  }
  SECTION("the key of another certificate") {
    settings.key_file = folder.Write("other.pem", MakeIdentity(KeyKind::kP256).key);
    CHECK(Names(ErrorOf(settings), "other.pem' does not belong to the first certificate of '" +
                                       settings.chain_file + "'"));
  }
  SECTION("the key of another kind") {
    settings.key_file = folder.Write("rsa.pem", MakeIdentity(KeyKind::kRsa2048).key);
    CHECK(Names(ErrorOf(settings), "rsa.pem' does not belong to the first certificate"));
  }
  SECTION("a ticket key that is too short") {
    settings.ticket_key = std::string(47, 'k');
    CHECK(Names(ErrorOf(settings), "48 bytes"));
  }
}

TEST_CASE("a key with a password is refused and nobody is asked", "[net][tls]") {
  const TemporaryFolder folder;
  TlsSettings settings = MakeSettings(folder, MakeIdentity(KeyKind::kP256));
  bssl::UniquePtr<BIO> in(BIO_new_file(settings.key_file.c_str(), "rb"));
  bssl::UniquePtr<EVP_PKEY> key(PEM_read_bio_PrivateKey(in.get(), nullptr, nullptr, nullptr));
  bssl::UniquePtr<BIO> out(BIO_new_file(folder.Path("locked.pem").c_str(), "wb"));
  char password[] = "secret";
  REQUIRE(PEM_write_bio_PKCS8PrivateKey(out.get(), key.get(), EVP_aes_128_cbc(), password,
                                        sizeof password - 1, nullptr, nullptr) == 1);
  out.reset();
  settings.key_file = folder.Path("locked.pem");
  CHECK(Names(ErrorOf(settings), "locked.pem' is not usable (tls: bad_password_read)"));
}

TEST_CASE("ticket keys are long and new each time", "[net][tls]") {
  CHECK(NewTicketKey().size() == 48);
  CHECK(NewTicketKey() != NewTicketKey());
}

TEST_CASE("another TLS library in the process is found and named", "[net][tls]") {
  CHECK(CheckNoOtherTlsLibrary().message().empty());
  // The mathematics library under a false name: harmless, but mapped.
  Dl_info math{};
  double (*const function)(double) = std::tgamma;
  REQUIRE(dladdr(reinterpret_cast<const void*>(function), &math) != 0);
  const TemporaryFolder folder;
  const std::string fake = folder.Path("libcrypto.so.3");
  std::filesystem::copy_file(std::filesystem::canonical(math.dli_fname), fake);
  void* handle = dlopen(fake.c_str(), RTLD_NOW | RTLD_LOCAL);
  INFO(dlerror());
  REQUIRE(handle != nullptr);
  const Status status = CheckNoOtherTlsLibrary();
  dlclose(handle);
  CHECK(Names(status.message(), fake));
  CHECK(CheckNoOtherTlsLibrary().ok());
}

TEST_CASE("the libraries in use can be told", "[net][tls]") {
  CHECK(Names(TlsLibraryText(), "API " + std::to_string(BORINGSSL_API_VERSION) + ", "));
  CHECK(Names(TlsLibraryText(), "libssl"));
  CHECK(UvLibraryText().rfind("1.", 0) == 0);
}

}  // namespace
}  // namespace postern
