// Signatures made on another thread, and what becomes of those that nobody waits for any more.
#include "net/tls_signer.h"

#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <vector>

#include "unit/net/tls_world.h"

namespace postern {
namespace {

const Identity& Rsa() {
  static const Identity identity = MakeIdentity(KeyKind::kRsa2048);
  return identity;
}

// One who asks and is told.
struct Asker {
  explicit Asker(Loop& asked_on, std::shared_ptr<LoopReturn> back)
      : loop(asked_on), way_back(std::move(back)) {}
  void Ask(TlsSigner& signer, EVP_PKEY* key, std::uint16_t scheme, const std::string& message) {
    signer.Ask(
        signature, key, scheme, message, way_back,
        [](void* self) { ++static_cast<Asker*>(self)->told; }, this);
  }
  bool Wait() {
    return TurnUntil(loop, [this] { return told > 0; });
  }

  Loop& loop;
  std::shared_ptr<LoopReturn> way_back;
  TlsSignature signature;
  int told = 0;
};

bool Verifies(EVP_PKEY* key, std::uint16_t scheme, const std::string& message,
              const std::string& signature) {
  bssl::ScopedEVP_MD_CTX context;
  EVP_PKEY_CTX* parameters = nullptr;
  if (EVP_DigestVerifyInit(context.get(), &parameters, SSL_get_signature_algorithm_digest(scheme),
                           nullptr, key) != 1) {
    return false;
  }
  if (SSL_is_signature_algorithm_rsa_pss(scheme) == 1) {
    EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING);
    EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, -1);
  }
  return EVP_DigestVerify(context.get(), reinterpret_cast<const std::uint8_t*>(signature.data()),
                          signature.size(), reinterpret_cast<const std::uint8_t*>(message.data()),
                          message.size()) == 1;
}

TEST_CASE("a signature is made elsewhere and told of on the loop", "[net][tls][signer]") {
  const std::uint16_t scheme =
      GENERATE(as<std::uint16_t>(), SSL_SIGN_RSA_PSS_RSAE_SHA256, SSL_SIGN_RSA_PSS_RSAE_SHA512,
               SSL_SIGN_RSA_PKCS1_SHA256, SSL_SIGN_RSA_PKCS1_SHA1, SSL_SIGN_RSA_PKCS1_MD5_SHA1);
  const auto key = KeyOf(Rsa());
  Loop loop;
  Asker asker(loop, std::make_shared<LoopReturn>(loop));
  TlsSigner signer;
  CHECK(asker.signature.state() == TlsSignature::State::kNone);
  asker.Ask(signer, key.get(), scheme, "message");
  REQUIRE(asker.Wait());
  REQUIRE(asker.signature.state() == TlsSignature::State::kDone);
  CHECK(Verifies(key.get(), scheme, "message", asker.signature.Take()));
  CHECK(asker.signature.state() == TlsSignature::State::kNone);
  CHECK(asker.told == 1);
  asker.way_back->Close();
}

TEST_CASE("a signature that cannot be made is told of as well", "[net][tls][signer]") {
  const auto key = KeyOf(Rsa());
  Loop loop;
  Asker asker(loop, std::make_shared<LoopReturn>(loop));
  TlsSigner signer;
  asker.Ask(signer, key.get(), SSL_SIGN_ED25519, "message");
  REQUIRE(asker.Wait());
  CHECK(asker.signature.state() == TlsSignature::State::kFailed);
  asker.way_back->Close();
}

TEST_CASE("nobody is told of a signature that was forgotten", "[net][tls][signer]") {
  const auto key = KeyOf(Rsa());
  Loop loop;
  const auto way_back = std::make_shared<LoopReturn>(loop);
  TlsSigner signer;
  std::vector<std::unique_ptr<Asker>> askers;
  for (int i = 0; i < 20; ++i) {
    askers.push_back(std::make_unique<Asker>(loop, way_back));
    askers.back()->Ask(signer, key.get(), SSL_SIGN_RSA_PSS_RSAE_SHA256, "message");
    if (i % 3 == 0) askers.back().reset();
  }
  for (const auto& asker : askers) {
    if (asker != nullptr) CHECK(asker->Wait());
  }
  way_back->Close();
}

TEST_CASE("signatures for which nothing is left are made by the loop that waits",
          "[net][tls][signer]") {
  const auto key = KeyOf(Rsa());
  Loop loop;
  const auto way_back = std::make_shared<LoopReturn>(loop);
  TlsSigner signer(false);
  std::vector<std::unique_ptr<Asker>> askers;
  for (int i = 0; i < 5; ++i) {
    askers.push_back(std::make_unique<Asker>(loop, way_back));
    askers.back()->Ask(signer, key.get(), SSL_SIGN_RSA_PSS_RSAE_SHA256, "message");
  }
  for (const auto& asker : askers) {
    CHECK(asker->Wait());
    CHECK(asker->signature.state() == TlsSignature::State::kDone);
  }
  way_back->Close();
}

TEST_CASE("a loop and a signer may go with signatures under way", "[net][tls][signer]") {
  const auto key = KeyOf(Rsa());
  const bool loop_first = GENERATE(true, false);
  auto signer = std::make_unique<TlsSigner>();
  auto loop = std::make_unique<Loop>();
  auto asker = std::make_unique<Asker>(*loop, std::make_shared<LoopReturn>(*loop));
  std::vector<TlsSignature> others(8);
  for (TlsSignature& one : others) {
    signer->Ask(
        one, key.get(), SSL_SIGN_RSA_PSS_RSAE_SHA256, "message", asker->way_back, [](void*) {},
        &one);
  }
  asker->Ask(*signer, key.get(), SSL_SIGN_RSA_PSS_RSAE_SHA256, "message");
  others.clear();
  asker->way_back->Close();
  asker.reset();
  if (loop_first) loop.reset();
  signer.reset();
  loop.reset();
}

TEST_CASE("handshakes with RSA keys may end while they wait for a signature",
          "[net][tls][signer]") {
  const auto context = MakeContext(MakeSettings({Rsa()}));
  World world(Version(GENERATE(TLS1_2_VERSION, TLS1_3_VERSION)), context.get());
  const int way = GENERATE(0, 1, 2, 3);
  world.stream->Start(world.server);
  world.client->Start();
  world.network.Run();
  Turn(world.loop);  // the signature is asked for
  if (way == 0) world.stream->Close(Stream::How::kFlush);
  if (way == 1) world.stream.reset();
  if (way == 2) world.CutWithoutNotify();
  if (way == 3) world.lower->Break(Status::Error("broken pipe"));
  world.Settle();
  CHECK(world.server.opened == 0);
  if (way < 2) {
    CHECK(world.server.ends.empty());
  } else {
    CHECK(world.server.error() ==
          (way == 2 ? "tls: connection closed during the handshake" : "broken pipe"));
  }
  // Another handshake behind it is signed for.
  World next(Version(TLS1_3_VERSION), context.get());
  next.Shake();
  CHECK(next.client->open());
  CHECK(next.server.opened == 1);
}

TEST_CASE("with nobody to be held up an RSA signature is made at once", "[net][tls][signer]") {
  const auto context = MakeContext(MakeSettings({Rsa()}));
  World world(Version(TLS1_3_VERSION), context.get());
  world.loop.SetTurnObserver([](Duration) {});
  world.stream->Start(world.server);
  world.client->Start();
  world.Settle();  // which waits for no other thread
  CHECK(world.server.opened == 1);
}

TEST_CASE("what arrives while a signature is made comes after it", "[net][tls][signer]") {
  const auto context = MakeContext(MakeSettings({Rsa()}));
  World world(Version(TLS1_3_VERSION), context.get());
  world.lower->set_piece(GENERATE(1, 7, 100));
  world.Shake();
  REQUIRE(world.client->open());
  world.client->Write("a NOOP\r\n");
  world.Settle();
  CHECK(world.server.received == "a NOOP\r\n");
}

TEST_CASE("sessions of RSA keys resume without a signature", "[net][tls][signer]") {
  const auto context = MakeContext(MakeSettings({Rsa()}));
  const int version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
  World world(Version(version), context.get());
  world.Shake();
  world.stream->Write("* OK\r\n");
  world.Settle();
  const auto session = world.client->TakeSession();
  REQUIRE(session != nullptr);
  TlsClientOptions options = Version(version);
  options.session = session.get();
  World next(options, context.get());
  next.stream->Start(next.server);
  next.client->Start();
  next.Settle();
  CHECK(next.server.opened == 1);
  CHECK(next.stream->tls().resumed);
}

}  // namespace
}  // namespace postern
