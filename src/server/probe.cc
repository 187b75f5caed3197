#include "server/probe.h"

#include <utility>

#include "postern/net/proxy_header.h"

namespace postern {
namespace {

std::variant<ImapProbe, Pop3Probe> DialogueOf(const ProbeTarget& target) {
  if (target.protocol == Protocol::kImap) return ImapProbe(target.tls, target.login.get());
  return Pop3Probe(target.tls, target.login.get());
}

}  // namespace

Probe::Probe(Loop& loop, Dialer& dialer, ProbeTarget target, Duration patience,
             std::function<void(ProbeOutcome)> done)
    : loop_(loop),
      target_(std::move(target)),
      done_(std::move(done)),
      dialogue_(DialogueOf(target_)),
      deadline_(
          loop.deadlines(), [](void* self) { static_cast<Probe*>(self)->OnDeadline(); }, this) {
  deadline_.Arm(MonotonicNow() + patience);
  attempt_ = dialer.Dial(target_.address, *this);
}

Probe::~Probe() {
  if (stream_) stream_->Close(Stream::How::kAbort);
}

void Probe::OnDialed(Result<std::unique_ptr<Stream>> result) {
  if (finished_) return;
  if (!result.ok()) return Finish(false, result.error().message());
  stream_ = std::move(result.value());
  // Of no family: the connection is the gateway's own.
  if (target_.proxy2) stream_->Write(EncodeProxyHeader({}, {}));
  if (target_.tls == PoolTls::kImplicit) {
    stream_ = target_.context->Wrap(loop_, std::move(stream_), target_.tls_name);
    securing_ = true;
  }
  stream_->Start(*this);
}

void Probe::OnOpen() {
  if (finished_ || !securing_) return;
  securing_ = false;
  if (target_.tls != PoolTls::kStarttls) return;
  On(Ask([](auto& dialogue) { return dialogue.OnSecured(); }));
}

void Probe::OnBytes(std::string_view bytes) {
  if (finished_) return;
  On(Ask([bytes](auto& dialogue) { return dialogue.OnBytes(bytes); }));
}

void Probe::OnEnd(const Status& why) {
  if (finished_) return;
  if (securing_) return Finish(false, why.ok() ? "closed during the handshake" : why.message());
  const auto awaited = Ask([](auto& dialogue) { return dialogue.awaited(); });
  Finish(false, "the connection ended before " + std::string(awaited) +
                    (why.ok() ? "" : ": " + why.message()));
}

void Probe::On(ProbeVerdict verdict) {
  Send();
  switch (verdict) {
    case ProbeVerdict::kGoing:
      return;
    case ProbeVerdict::kStartTls:
      return StartTls();
    case ProbeVerdict::kPassed:
      outcome_.findings = Ask([](auto& dialogue) { return dialogue.findings(); });
      return Finish(true, {});
    case ProbeVerdict::kFailed:
      return Finish(false, Ask([](auto& dialogue) { return dialogue.complaint(); }));
  }
}

void Probe::StartTls() {
  stream_ = target_.context->Wrap(loop_, std::move(stream_), target_.tls_name);
  securing_ = true;
  stream_->Start(*this);
}

void Probe::Send() {
  Secret& output = *Ask([](auto& dialogue) { return &dialogue.output(); });
  if (output.empty()) return;
  stream_->Write(output.Reveal());
  output.Clear();
}

// The stream may be calling us: it goes with the probe, on a later turn.
void Probe::Finish(bool passed, std::string complaint) {
  finished_ = true;
  outcome_.passed = passed;
  outcome_.complaint = std::move(complaint);
  if (stream_) stream_->Close(Stream::How::kFlush);
  deadline_.Arm(MonotonicNow());
}

void Probe::OnDeadline() {
  if (!finished_) {
    const std::string awaited(Ask([](auto& dialogue) { return dialogue.awaited(); }));
    std::string what = securing_ ? "its TLS" : awaited;
    if (!stream_) what = "the connection";
    outcome_.complaint = "waited too long for " + what;
    if (stream_) stream_->Close(Stream::How::kAbort);
  }
  finished_ = true;
  attempt_.reset();
  stream_.reset();
  // It may destroy this.
  auto done = std::move(done_);
  done(std::move(outcome_));
}

}  // namespace postern
