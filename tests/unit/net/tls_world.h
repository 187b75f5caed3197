// A server's TLS stream in memory and a client for it; shared by the TLS tests.
#pragma once

#include <memory>
#include <utility>

#include "support/memory_stream.h"
#include "unit/net/recorder.h"
#include "unit/net/tls_fixture.h"

namespace postern {

inline const Identity& P256() {
  static const Identity identity = MakeIdentity(KeyKind::kP256);
  return identity;
}

// A server's stream and a client, with the wire between them.
struct World {
  explicit World(const TlsClientOptions& options = {}, TlsContext* given = nullptr) {
    if (given == nullptr) {
      own_context = MakeContext(MakeSettings({P256()}));
      given = own_context.get();
    }
    auto [near, far] = network.Connect();
    lower = near.get();
    stream = given->Wrap(loop, std::move(near));
    client = std::make_unique<TlsClient>(std::move(far), options);
  }
  void Settle() {
    bool moved = true;
    while (moved) {
      Turn(loop);
      moved = network.Step();
      network.Run();
    }
  }
  void Shake() {
    stream->Start(server);
    client->Start();
    Settle();
    // A signature may be made on another thread.
    TurnUntil(loop, [this] {
      Settle();
      return server.opened > 0 || !server.ends.empty() || client->lower_ended();
    });
  }
  void CutWithoutNotify() { static_cast<MemoryStream&>(client->lower()).ShutDown(); }

  Loop loop;
  MemoryNetwork network;
  std::unique_ptr<TlsContext> own_context;
  MemoryStream* lower = nullptr;
  Recorder server;
  std::unique_ptr<Stream> stream;
  std::unique_ptr<TlsClient> client;
};

inline TlsClientOptions Version(int version) {
  TlsClientOptions options;
  options.version = version;
  return options;
}

}  // namespace postern
