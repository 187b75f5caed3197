// Probe: one look at one backend over one protocol, from connecting to its verdict. Owned by the
// prober; used on its loop's thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <variant>

#include "postern/base/address.h"
#include "postern/net/dialer.h"
#include "postern/net/loop.h"
#include "postern/net/tls.h"
#include "server/probe_dialogue.h"

namespace postern {

// Whom to look at, and how. A value.
struct ProbeTarget {
  Protocol protocol = Protocol::kImap;
  Address address;
  PoolTls tls = PoolTls::kNone;
  bool proxy2 = false;  // the pool's backends expect a PROXY header
  std::string tls_name;
  std::shared_ptr<TlsContext> context;       // null where there is no TLS
  std::shared_ptr<const Credentials> login;  // null: nobody is logged in
};

struct ProbeOutcome {
  bool passed = false;
  std::string complaint;  // a sentence; what was wrong
  ProbeFindings findings;
};

class Probe final : private Dialer::Observer, private Stream::Observer {
 public:
  // done is called once, on a later turn, within the patience; it may destroy the probe.
  Probe(Loop& loop, Dialer& dialer, ProbeTarget target, Duration patience,
        std::function<void(ProbeOutcome)> done);
  // Cuts the connection if it is still there; done is not called any more.
  ~Probe() override;
  Probe(const Probe&) = delete;
  Probe& operator=(const Probe&) = delete;

 private:
  void OnDialed(Result<std::unique_ptr<Stream>> result) override;
  void OnOpen() override;
  void OnBytes(std::string_view bytes) override;
  void OnDrained() override {}
  void OnEnd(const Status& why) override;
  void On(ProbeVerdict verdict);
  void StartTls();
  void Send();
  void Finish(bool passed, std::string complaint);
  void OnDeadline();
  // Calls with the dialogue, whichever it is.
  template <typename Visit>
  auto Ask(Visit visit) {
    return std::visit(visit, dialogue_);
  }

  Loop& loop_;
  const ProbeTarget target_;
  std::function<void(ProbeOutcome)> done_;
  std::variant<ImapProbe, Pop3Probe> dialogue_;
  std::unique_ptr<Dialer::Attempt> attempt_;
  std::unique_ptr<Stream> stream_;
  bool securing_ = false;
  bool finished_ = false;
  ProbeOutcome outcome_;
  Deadline deadline_;  // of the patience; when finished, of telling so
};

}  // namespace postern
