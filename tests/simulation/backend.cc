#include "simulation/backend.h"

#include <utility>

#include "simulation/tls_stand_in.h"

namespace postern::testing {

SimBackend::SimBackend(Timeline& timeline, Record& record, Wire& wire, Random random,
                       Settings settings)
    : timeline_(timeline),
      record_(record),
      wire_(wire),
      random_(random),
      settings_(std::move(settings)),
      header_due_(settings_.proxy2) {
  constexpr std::size_t kKinds = static_cast<std::size_t>(Fault::kGoodbye);
  if (settings_.faults && random_.Chance(40)) {
    fault_ = static_cast<Fault>(random_.Between(1, kKinds));
  }
  fault_in_ = random_.Pick<std::size_t>({0, 1, 2, 5, 9});
}

void SimBackend::Begin() {
  if (settings_.tls == PoolTls::kImplicit) return ExpectTls();
  timeline_.After(SomeTime(), [this] { Greet(); });
}

bool SimBackend::FailsToGreet(std::initializer_list<const char*> bad) {
  const bool fails = fault_ >= Fault::kSilent && fault_ <= Fault::kBadGreeting;
  if (fault_ == Fault::kBadGreeting) wire_.Send(random_.Pick(bad));
  if (fault_ == Fault::kSilent || (fault_ == Fault::kBadGreeting && random_.Chance(50))) {
    Stall();
  } else if (fails) {
    End();
  }
  return fails;
}

void SimBackend::CheckLogin(const std::string& said) {
  if (judged_) record_.Violate("R-INV-2", wire_.name() + " is asked for a second login");
  judged_ = true;
  const std::size_t at = said.find(settings_.user);
  const std::size_t behind = at + settings_.user.size();
  const bool longer = behind < said.size() && said[behind] >= '0' && said[behind] <= '9';
  if (at == said.npos || longer) {
    record_.Violate("routing", wire_.name() + " reads somebody else's login: " + Shown(said));
  }
}

Duration SimBackend::SomeTime() {
  if (random_.Chance(2)) return std::chrono::seconds(random_.Between(1, 15));
  return std::chrono::microseconds(random_.Below(3000));
}

void SimBackend::BusyFor(Duration time) {
  busy_ = true;
  timeline_.After(time, [this] {
    busy_ = false;
    Work();
  });
}

void SimBackend::Work() {
  while (!dead_ && !busy_ && !shaking_ && !record_.broken() && WorkOnce()) {
  }
}

void SimBackend::End() {
  dead_ = true;
  if (random_.Chance(50)) {
    wire_.Finish();
  } else {
    wire_.Reset();
  }
}

bool SimBackend::TakeProxyHeader() {
  constexpr std::string_view kSignature("\r\n\r\n\0\r\nQUIT\n", 12);
  if (heard_.size() < 16) return false;
  if (!heard_.starts_with(kSignature)) {
    record_.Violate("routing", wire_.name() + " misses its PROXY header in " + Shown(heard_));
  }
  const std::size_t size =
      16 + static_cast<unsigned char>(heard_[14]) * 256u + static_cast<unsigned char>(heard_[15]);
  if (heard_.size() < size) return false;
  heard_.erase(0, size);
  header_due_ = false;
  return true;
}

void SimBackend::OnReceived(std::string_view bytes) {
  if (dead_) return;
  heard_.append(bytes);
  if (header_due_ && !TakeProxyHeader()) return;
  if (!shaking_) {
    Feed(std::exchange(heard_, {}));
    return Work();
  }
  if (heard_.size() < kTlsHello.size()) return;
  if (!heard_.starts_with(kTlsHello)) {
    return record_.Violate("R-INV-2", wire_.name() + " hears in front of TLS " + Shown(heard_));
  }
  if (settings_.faults && random_.Chance(3)) {
    wire_.Send("no TLS here\r\n");
    return End();
  }
  wire_.Send(kTlsWelcome);
  shaking_ = false;
  secured_ = true;
  Feed(std::exchange(heard_, {}).substr(kTlsHello.size()));
  if (settings_.tls == PoolTls::kImplicit) return Greet();
  Work();
}

void SimBackend::OnClosed(bool clean) {
  record_.Note(wire_.name(), clean ? "sees an orderly end" : "sees a cut");
  dead_ = true;
  wire_.Finish();
}

}  // namespace postern::testing
