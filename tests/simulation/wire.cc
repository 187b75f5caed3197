#include "simulation/wire.h"

#include <algorithm>
#include <utility>

#include "simulation/held_memory.h"

namespace postern::testing {

Habits Habits::Seeded(Random& random) {
  Habits habits;
  habits.window = random.Pick<std::size_t>({2048, 16 * 1024, 64 * 1024, 64 * 1024, 256 * 1024});
  habits.near_piece = random.Pick<std::size_t>({3, 100, 1460, 16 * 1024, 64 * 1024, 64 * 1024});
  habits.far_piece = random.Pick<std::size_t>({1460, 8192, 64 * 1024});
  habits.delay = std::chrono::microseconds(random.Pick<int>({20, 300, 2000, 30000}));
  if (random.Chance(5)) {
    // Reads as slowly as a telephone in a tunnel.
    habits.far_piece = 1460;
    habits.delay = std::chrono::milliseconds(400);
  }
  habits.stalls = random.Pick<unsigned>({0, 0, 0, 1, 5});
  return habits;
}

// The near end.
class Wire::NearStream final : public Stream {
 public:
  explicit NearStream(Wire& wire) : wire_(wire) {}
  ~NearStream() override {
    if (!wire_.near_closed_) wire_.Close(How::kAbort);
    wire_.near_destroyed_ = true;
  }
  NearStream(const NearStream&) = delete;
  NearStream& operator=(const NearStream&) = delete;

  void Start(Observer& observer) override { wire_.Start(observer); }
  void Write(std::string_view bytes) override { wire_.Write(bytes); }
  std::size_t backlog() const override {
    if (wire_.record_.sabotage() == Sabotage::kNoBacklog) return 0;
    return wire_.near_closed_ ? 0 : wire_.backlog();
  }
  void SetReading(bool on) override { wire_.SetReading(on); }
  void Close(How how) override { wire_.Close(how); }
  Peer peer() const override { return wire_.peer(); }

 private:
  Wire& wire_;
};

Wire::Wire(Timeline& timeline, Record& record, const Random& random, const Habits& habits,
           std::string name, std::size_t owner)
    : timeline_(timeline),
      record_(record),
      random_(random),
      habits_(habits),
      name_(std::move(name)),
      owner_(owner) {}

std::unique_ptr<Stream> Wire::Near() { return std::make_unique<NearStream>(*this); }

Duration Wire::Delay() {
  return Duration(random_.Below(static_cast<std::size_t>(habits_.delay.count())));
}

// ---- the far end

void Wire::Send(std::string_view bytes) {
  if (far_ended() || near_closed_ || bytes.empty()) return;
  record_.Note(name_, "sends", bytes);
  to_near_.Push(bytes);
  PlanToNear();
}

void Wire::Finish() {
  if (far_ended()) return;
  record_.Note(name_, "sends FIN");
  finished_ = true;
  PlanToNear();
}

void Wire::Reset() {
  if (reset_) return;
  record_.Note(name_, "resets the connection");
  reset_ = true;
  end_told_ = false;
  // What the near kernel has may still be read, or may not.
  if (random_.Chance(50)) to_near_.Clear();
  kernel_.Clear();
  backlog_.Clear();
  PlanToNear();
}

// ---- the near end

void Wire::Start(Stream::Observer& observer) {
  observer_ = &observer;
  reading_ = true;
  end_told_ = false;
  PlanToNear();
  observer.OnOpen();
}

// What a sabotaged Postern would have written.
std::string Wire::Sabotaged(std::string_view bytes) const {
  std::string text(bytes);
  const bool of_client = text.starts_with("s") && text.ends_with("\r\n");
  if (to_backend && of_client) {
    if (record_.sabotage() == Sabotage::kTwice) text += text;
    if (record_.sabotage() == Sabotage::kOwnCommand) text += "own NOOP\r\n";
    if (record_.sabotage() == Sabotage::kSwallowed && text.find(" STATUS ") != text.npos) return {};
  }
  const std::size_t no = text.find(" NO ");
  if (!to_backend && record_.sabotage() == Sabotage::kForgedOk && no != text.npos) {
    text.replace(no, 4, " OK ");
  }
  return text;
}

void Wire::Write(std::string_view bytes) {
  if (near_closed_) return;
  const HeldBy nobody(0);
  written_ += bytes.size();
  const std::string text = Sabotaged(bytes);
  record_.Note(name_, "is sent", text);
  if (far_ != nullptr) far_->OnNearWrote(text);
  if (reset_) {
    wrote_after_reset_ = true;
    return PlanToNear();
  }
  backlog_.Push(text);
  FillKernel();
  if (backlog_.size() >= kHighMark) was_high_ = true;
  PlanToFar();
}

void Wire::SetReading(bool on) {
  const HeldBy nobody(0);
  if (on && record_.sabotage() == Sabotage::kNoWakeUp) return;
  reading_ = on;
  PlanToNear();
}

void Wire::Close(Stream::How how) {
  if (near_closed_) return;
  const HeldBy nobody(0);
  if (record_.sabotage() == Sabotage::kWordsInCut && how == Stream::How::kAbort && !to_backend) {
    Write("* BYE gone\r\n");
  }
  if (record_.sabotage() == Sabotage::kCleanCut) how = Stream::How::kFlush;
  record_.Note(name_, how == Stream::How::kFlush ? "is closed in order" : "is aborted");
  near_closed_ = true;
  how_ = how;
  observer_ = nullptr;
  to_near_.Clear();
  if (how == Stream::How::kAbort) {
    backlog_.Clear();
    if (random_.Chance(50)) kernel_.Clear();
  }
  if (far_ != nullptr) far_->OnNearClosed(how);
  PlanToFar();
}

Stream::Peer Wire::peer() const {
  if (reset_) return Stream::Peer::kGone;
  const bool came = finished_ && to_near_.size() <= habits_.window;
  return came ? Stream::Peer::kFinished : Stream::Peer::kThere;
}

// ---- what moves

bool Wire::CanDeliver() const {
  if (observer_ == nullptr || end_told_) return false;
  if (reset_ && wrote_after_reset_) return true;
  return reading_ && (!to_near_.empty() || far_ended());
}

void Wire::PlanToNear() {
  if (near_planned_ || !CanDeliver()) return;
  near_planned_ = true;
  timeline_.After(Delay(), [this] { DeliverToNear(); });
}

void Wire::DeliverToNear() {
  near_planned_ = false;
  if (!CanDeliver()) return;
  const bool failed_write = reset_ && wrote_after_reset_;
  if (!failed_write && !to_near_.empty()) {
    // Much that waits comes in larger pieces, or a run would never end.
    const std::size_t most =
        std::min(std::max(habits_.near_piece, to_near_.size() / 64), std::size_t{64 * 1024});
    const std::string bytes = to_near_.Take(random_.Between(1, most));
    delivered_ += bytes.size();
    if (record_.wants_notes()) record_.Note("  postern", "reads " + name_, bytes);
    const HeldBy owner(owner_);
    observer_->OnBytes(bytes);
  } else {
    end_told_ = true;
    told_of_end_ = timeline_.now();
    Status why = reset_ ? Status::Error("connection reset by peer") : Status();
    const HeldBy owner(owner_);
    observer_->OnEnd(why);
  }
  PlanToNear();
}

void Wire::FillKernel() {
  if (kernel_.size() >= habits_.window || backlog_.empty()) return;
  kernel_.Push(backlog_.Take(habits_.window - kernel_.size()));
}

void Wire::PlanToFar() {
  const bool closing = near_closed_ && !far_told_;
  if (far_planned_ || reset_ || (kernel_.empty() && !closing)) return;
  far_planned_ = true;
  Duration delay = Delay();
  if (random_.Chance(habits_.stalls)) {
    delay += Duration(random_.Below(static_cast<std::size_t>(habits_.stall.count())));
  }
  timeline_.After(delay, [this] { DeliverToFar(); });
}

void Wire::DeliverToFar() {
  far_planned_ = false;
  if (reset_) return;
  if (!kernel_.empty()) {
    const std::size_t most = std::max(habits_.far_piece, (kernel_.size() + backlog_.size()) / 64);
    const std::string bytes = kernel_.Take(random_.Between(1, most));
    FillKernel();
    if (was_high_ && backlog_.size() <= kLowMark) PlanDrained();
    if (far_ != nullptr) far_->OnReceived(bytes);
  }
  if (near_closed_ && kernel_.empty() && backlog_.empty() && !far_told_) {
    far_told_ = true;
    if (far_ != nullptr) far_->OnClosed(how_ == Stream::How::kFlush);
  }
  PlanToFar();
}

void Wire::PlanDrained() {
  was_high_ = false;
  timeline_.After(Duration(1), [this] {
    if (observer_ == nullptr || reset_) return;
    const HeldBy owner(owner_);
    observer_->OnDrained();
  });
}

}  // namespace postern::testing
