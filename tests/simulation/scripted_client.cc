#include "simulation/scripted_client.h"

#include <utility>

#include "simulation/tls_stand_in.h"

namespace postern::testing {
namespace {

// Longer than every timeout of Postern's.
constexpr Duration kPatience = std::chrono::hours(3);

}  // namespace

void ScriptedClient::Resume(Duration delay) {
  timeline_.After(delay, [this] { Advance(); });
}

void ScriptedClient::Advance() {
  while (!over_ && next_ < steps_.size() && !record_.broken()) {
    const Step& step = steps_[next_];
    const bool left_out = step.kind == Step::Kind::kSend && !step.begins && Ended(step);
    if (!left_out && !Play(step)) return ArmPatience();
    ++next_;
    begun_ = false;
  }
  if (!over_ && next_ == steps_.size()) ArmPatience();
}

bool ScriptedClient::Play(const Step& step) {
  const bool begins = !std::exchange(begun_, true);
  switch (step.kind) {
    case Step::Kind::kSend:
      if (step.begins) OnBegins(step.command);
      // Those of before belonged to others.
      if (step.begins) pluses_ = 0;
      wire_.Send(step.bytes);
      return true;
    case Step::Kind::kGreeting:
      return greeted_;
    case Step::Kind::kPlus:
      if (Ended(step)) return true;
      if (pluses_ == 0) return false;
      --pluses_;
      return true;
    case Step::Kind::kEnd:
      return Ended(step);
    case Step::Kind::kChallenge:
      if (Ended(step)) return true;
      if (pluses_ == 0) return false;
      --pluses_;
      wire_.Send(step.bytes);
      return true;
    case Step::Kind::kPause:
      if (!begins) return false;
      timeline_.After(step.pause, [this, at = next_] {
        if (at != next_) return;
        ++next_;
        begun_ = false;
        Advance();
      });
      return false;
    case Step::Kind::kTls:
      if (begins) {
        shaking_ = true;
        wire_.Send(step.bytes.empty() ? kTlsHello : std::string_view(step.bytes));
      }
      return !shaking_;
    case Step::Kind::kDone:
      if (Ended(step)) return true;
      OnDone();
      wire_.Send(step.bytes);
      return true;
    case Step::Kind::kFinish:
      OnLeaves();
      wire_.Finish();
      return true;
    case Step::Kind::kReset:
      OnLeaves();
      over_ = true;
      wire_.Reset();
      return true;
  }
  return true;
}

void ScriptedClient::OnReceived(std::string_view bytes) {
  if (over_) return;
  if (shaking_) {
    heard_.append(bytes);
    const std::size_t size = std::min(heard_.size(), kTlsWelcome.size());
    if (heard_.substr(0, size) != kTlsWelcome.substr(0, size)) {
      record_.Violate("R-INV-3", wire_.name() + " hears in front of TLS " + Shown(heard_));
    }
    if (size < kTlsWelcome.size()) return;
    shaking_ = false;
    Read(std::exchange(heard_, {}).substr(size));
  } else {
    Read(bytes);
  }
  Advance();
}

void ScriptedClient::OnClosed(bool clean) {
  record_.Note(wire_.name(), clean ? "sees an orderly end" : "sees a cut");
  over_ = true;
  wire_.Finish();
}

void ScriptedClient::ArmPatience() {
  timeline_.After(kPatience, [this, at = next_] { LoseHeart(at); });
}

void ScriptedClient::LoseHeart(std::size_t at) {
  if (over_ || at != next_) return;
  const bool waits = next_ < steps_.size() && !wire_.near_closed();
  if (waits && !excused_) {
    record_.Violate("progress", wire_.name() + " waits in vain, at step " + std::to_string(next_) +
                                    " of " + std::to_string(steps_.size()));
  }
  over_ = true;
  OnLeaves();
  record_.Note(wire_.name(), "gives up");
  wire_.Reset();
}

}  // namespace postern::testing
