#include "support/memory_stream.h"

#include <algorithm>
#include <optional>

namespace postern {

struct MemoryStream::End {
  std::weak_ptr<End> peer;
  Observer* observer = nullptr;  // not before Start, nor after Close
  std::string inbound;
  std::size_t taken = 0;  // bytes of inbound that were delivered
  std::size_t piece = 64 * 1024;
  std::size_t window = 64 * 1024;
  bool reading = true;
  bool closed = false;
  bool finished = false;  // the peer sends no more
  bool end_told = false;
  bool was_high = false;
  std::optional<Status> failure;
  bool dead = false;

  // What this end wrote and the peer's side has not taken.
  std::size_t Backlog() const {
    const std::shared_ptr<End> other = peer.lock();
    if (other == nullptr || other->Waiting() <= window) return 0;
    return other->Waiting() - window;
  }
  std::size_t Waiting() const { return inbound.size() - taken; }
  void Forget() {
    inbound.clear();
    taken = 0;
  }

  bool Deliver() {
    if (observer == nullptr || dead) return false;
    return DeliverFailure() || DeliverDrained() || DeliverBytes() || DeliverEnd();
  }

 private:
  bool DeliverFailure() {
    if (!failure) return false;
    dead = true;
    observer->OnEnd(*failure);
    return true;
  }
  bool DeliverDrained() {
    if (!was_high || Backlog() > kLowMark) return false;
    was_high = false;
    observer->OnDrained();
    return true;
  }
  bool DeliverBytes() {
    if (!reading || Waiting() == 0) return false;
    const std::string bytes = inbound.substr(taken, piece);
    taken += bytes.size();
    if (Waiting() == 0) Forget();
    observer->OnBytes(bytes);
    return true;
  }
  bool DeliverEnd() {
    if (!reading || Waiting() > 0 || !finished || end_told) return false;
    end_told = true;
    observer->OnEnd({});
    return true;
  }
};

MemoryStream::~MemoryStream() { Close(How::kAbort); }

void MemoryStream::Start(Observer& observer) {
  end_->observer = &observer;
  // Another observer goes on reading, and was not told of an end.
  end_->reading = true;
  end_->end_told = false;
  observer.OnOpen();
}

void MemoryStream::Write(std::string_view bytes) {
  if (end_->closed || end_->dead || end_->failure) return;
  const std::shared_ptr<End> peer = end_->peer.lock();
  if (peer == nullptr || peer->closed || peer->finished) return;
  ++writes_;
  peer->inbound.append(bytes);
  if (end_->Backlog() >= kHighMark) end_->was_high = true;
}

std::size_t MemoryStream::backlog() const { return end_->closed ? 0 : end_->Backlog(); }

void MemoryStream::SetReading(bool on) { end_->reading = on; }

void MemoryStream::Close(How how) {
  if (end_->closed) return;
  end_->closed = true;
  end_->observer = nullptr;
  end_->Forget();
  const std::shared_ptr<End> peer = end_->peer.lock();
  if (peer == nullptr) return;
  if (how == How::kFlush) {
    peer->finished = true;
  } else if (!peer->end_told || !peer->finished) {
    peer->Forget();
    peer->failure = Status::Error("connection reset by peer");
  }
}

void MemoryStream::set_piece(std::size_t size) { end_->piece = size; }
void MemoryStream::set_window(std::size_t size) { end_->window = size; }
void MemoryStream::Break(const Status& why) { end_->failure = why; }
void MemoryStream::ShutDown() {
  if (const std::shared_ptr<End> peer = end_->peer.lock()) peer->finished = true;
}
bool MemoryStream::closed() const { return end_->closed; }

MemoryNetwork::Pair MemoryNetwork::Connect() {
  auto left = std::make_shared<MemoryStream::End>();
  auto right = std::make_shared<MemoryStream::End>();
  left->peer = right;
  right->peer = left;
  ends_.push_back(left);
  ends_.push_back(right);
  return {std::make_unique<MemoryStream>(left), std::make_unique<MemoryStream>(right)};
}

bool MemoryNetwork::Step() {
  for (std::size_t tried = 0; tried < ends_.size(); ++tried) {
    const std::shared_ptr<MemoryStream::End> end = ends_[next_++ % ends_.size()];
    if (end->Deliver()) return true;
  }
  return false;
}

void MemoryNetwork::Run() {
  while (Step()) {
  }
}

}  // namespace postern
