#include <dlfcn.h>

#include <catch2/catch.hpp>
#include <cmath>
#include <filesystem>
#include <string>

#include "postern/net/tls.h"
#include "unit/net/tls_world.h"

namespace postern {
namespace {

std::string ErrorOf(const CertificateFiles& files) {
  const auto result = CertificateSet::Load({files});
  return result.ok() ? std::string() : result.error().message();
}

bool Names(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST_CASE("a set tells of its certificates", "[net][tls]") {
  const TemporaryFolder folder;
  IdentitySpec spec;
  spec.names = "DNS:IMAP.Example,DNS:*.pop.example,IP:127.0.0.1";
  spec.not_after = 2'000'000'000;
  CertificateFiles stapled = WriteIdentity(folder, MakeIdentity(spec), "named");
  stapled.ocsp = folder.Write("ocsp.der", std::string("\x30\x05\x0a\x01\x00\xa0\x00", 7));
  const auto set = CertificateSet::Load({WriteIdentity(folder, P256()), stapled}).value();
  REQUIRE(set->size() == 2);
  CHECK(set->facts(0).not_after == kNotAfter);
  CHECK(set->facts(0).names == std::vector<std::string>{"mail.example"});
  CHECK_FALSE(set->facts(0).staple);
  CHECK(set->facts(1).not_after == 2'000'000'000);
  CHECK(set->facts(1).names == std::vector<std::string>{"imap.example", "*.pop.example"});
  CHECK(set->facts(1).staple);
}

TEST_CASE("the certificate at fault is counted", "[net][tls]") {
  const TemporaryFolder folder;
  const CertificateFiles good = WriteIdentity(folder, P256());
  CertificateFiles bad = good;
  bad.key = folder.Path("missing");
  std::size_t index = 99;
  CHECK_FALSE(CertificateSet::Load({good, good, bad, good}, &index).ok());
  CHECK(index == 2);
  CHECK_FALSE(CertificateSet::Load({}).ok());
}

TEST_CASE("an unusable certificate or key is named with what to do", "[net][tls]") {
  const TemporaryFolder folder;
  const Identity identity = MakeIdentity(KeyKind::kP256);
  CertificateFiles settings = WriteIdentity(folder, identity);
  REQUIRE(ErrorOf(settings).empty());

  SECTION("no chain file") {
    settings.chain = folder.Path("missing.pem");
    CHECK(Names(ErrorOf(settings), "certificate chain '" + settings.chain +
                                       "' cannot be read: No such file or directory"));
  }
  SECTION("no key file") {
    settings.key = folder.Path("missing.pem");
    CHECK(Names(ErrorOf(settings), "private key '" + settings.key + "' cannot be read"));
  }
  SECTION("a folder for a chain") {
    settings.chain = folder.Path("");
    CHECK(Names(ErrorOf(settings), "is empty or not a file"));
  }
  SECTION("nonsense for a chain") {
    settings.chain = folder.Write("nonsense.pem", "nonsense\n");
    CHECK(Names(ErrorOf(settings), "nonsense.pem' is not usable (tls: no_start_line)"));
  }
  SECTION("a chain that is cut") {
    settings.chain = folder.Write("cut.pem", identity.chain.substr(0, 300));
    CHECK(Names(ErrorOf(settings), "cut.pem' is not usable"));
  }
  SECTION("a certificate for a key") {
    settings.key = settings.chain;
    CHECK(Names(ErrorOf(settings), "it must be a PEM private key without a password"));
  }
  SECTION("the key of another certificate") {
    settings.key = folder.Write("other.pem", MakeIdentity(KeyKind::kP256).key);
    CHECK(Names(ErrorOf(settings),
                "other.pem' does not belong to the first certificate of '" + settings.chain + "'"));
  }
  SECTION("the key of another kind") {
    settings.key = folder.Write("rsa.pem", MakeIdentity(KeyKind::kRsa2048).key);
    CHECK(Names(ErrorOf(settings), "rsa.pem' does not belong to the first certificate"));
  }
  SECTION("no staple") {
    settings.ocsp = folder.Path("missing.der");
    CHECK(Names(ErrorOf(settings), "OCSP staple '" + settings.ocsp + "' cannot be read"));
  }
  SECTION("a staple that is none") {
    const std::string_view content = GENERATE(
        as<std::string_view>(), "nonsense", std::string_view("\x30\x03\x0a\x01\x01", 5),
        std::string_view("\x30\x03\x0a\x01\x00", 5), std::string_view("\x30\x05\x0a\x01\x00", 5));
    settings.ocsp = folder.Write("ocsp.der", content);
    CHECK(Names(ErrorOf(settings), "ocsp.der' is not usable; it must be the DER"));
  }
}

TEST_CASE("a key with a password is refused and nobody is asked", "[net][tls]") {
  const TemporaryFolder folder;
  CertificateFiles settings = WriteIdentity(folder, P256());
  bssl::UniquePtr<BIO> in(BIO_new_file(settings.key.c_str(), "rb"));
  bssl::UniquePtr<EVP_PKEY> key(PEM_read_bio_PrivateKey(in.get(), nullptr, nullptr, nullptr));
  bssl::UniquePtr<BIO> out(BIO_new_file(folder.Path("locked.pem").c_str(), "wb"));
  char password[] = "secret";
  REQUIRE(PEM_write_bio_PKCS8PrivateKey(out.get(), key.get(), EVP_aes_128_cbc(), password,
                                        sizeof password - 1, nullptr, nullptr) == 1);
  out.reset();
  settings.key = folder.Path("locked.pem");
  CHECK(Names(ErrorOf(settings), "locked.pem' is not usable (tls: bad_password_read)"));
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
