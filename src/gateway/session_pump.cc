// The pump of a session: what one side says goes through the engine to the other, and what waits
// holds up its own side.
#include <utility>

#include "gateway/session.h"
#include "postern/base/secret.h"

namespace postern {
namespace {

// From this size on a write goes to its stream as it is; smaller ones of one call are put together.
constexpr std::size_t kDirectWrite = 4096;
// What is put together goes out from this size on, so that the backlog, which is the measure of
// room, tells of it.
constexpr std::size_t kMostGathered = 32 * 1024;
// While the client is not read: how often to ask whether it is still there.
constexpr Duration kLookAfter = std::chrono::seconds(5);

}  // namespace

std::size_t Session::Offer(Side side, std::string_view bytes) {
  // Whoever speaks before it is greeted waits.
  if (side == Side::kClient && judged_ && judged_->greeting_waits) return 0;
  return side == Side::kClient ? engine_->OnClientBytes(bytes) : engine_->OnBackendBytes(bytes);
}

void Session::OfferPending(Side side) {
  std::string& pending = half(side).pending;
  const std::size_t consumed = Offer(side, pending);
  pending.erase(0, consumed);
  if (!pending.empty()) return;
  // An idle session owns no buffer.
  if (state_ == SessionState::kLogin) Wipe(pending);
  std::string().swap(pending);
}

// Offers again what waited, until nothing moves; then tells of ends, and reads what may be read.
void Session::Settle() {
  for (bool moved = true; moved && !finished_;) {
    moved = false;
    for (const Side side : {Side::kBackend, Side::kClient}) {
      const std::size_t before = half(side).pending.size();
      if (before == 0 || finished_) continue;
      if (side == Side::kBackend && !backend_.stream) continue;
      OfferPending(side);
      moved = moved || half(side).pending.size() != before;
    }
  }
  if (!finished_) TellEnds();
  if (!finished_) AdjustReading();
  if (!finished_) NoteBusy();
}

// The idle time begins anew when the last command in flight has had its answer.
void Session::NoteBusy() {
  const bool busy = !engine_->quiet();
  if (busy_ && !busy) client_bytes_at_ = now_;
  const bool changed = busy_ != busy;
  busy_ = busy;
  if (changed && judged_ && !judged_->places.empty()) NoteIdle();
}

void Session::TellEnds() {
  if (backend_.ended && !backend_.end_told && (backend_.pending.empty() || ClientHasRoom())) {
    backend_.end_told = true;
    engine_->OnBackendEnd();
  }
  if (finished_ || !client_.ended || client_.end_told) return;
  if (!client_.pending.empty() && engine_->client_blocked()) return;
  if (judged_ && judged_->greeting_waits) return;
  client_.end_told = true;
  engine_->OnClientEnd();
}

void Session::AdjustReading() {
  const bool waits = (judged_ && judged_->greeting_waits) || engine_->client_blocked();
  const bool read_client = client_.pending.empty() || !waits;
  if (read_client != client_.reading) {
    client_.reading = read_client;
    client_.stream->SetReading(read_client);
    // Unread, a client that leaves is not heard of, and this backend may never answer.
    const Instant soon = now_ + kLookAfter;
    if (!read_client && state_ == SessionState::kRelay && soon < deadline_.at())
      deadline_.Arm(soon);
  }
  if (!backend_.stream) return;
  const bool room = ClientHasRoom();
  if (room == stalled_) {
    if (room) stall_total_ += now_ - stalled_since_;
    stalled_since_ = now_;
    stalled_ = !room;
  }
  if (room == backend_.reading) return;
  backend_.reading = room;
  backend_.stream->SetReading(room);
}

// ---- EngineHost: bytes

void Session::Write(Half& to, Side side, std::string& gather, std::string_view bytes) {
  if (bytes.empty()) return;
  to.out += bytes.size();
  shard().Bytes(protocol_, side, Direction::kOut, bytes.size());
  if (bytes.size() < kDirectWrite) {
    gather.append(bytes);
    if (gather.size() < kMostGathered) return;
    bytes = {};
  }
  if (!gather.empty() && to.stream) to.stream->Write(gather);
  gather.clear();
  if (to.stream && !bytes.empty()) to.stream->Write(bytes);
}

void Session::ToClient(std::string_view bytes) {
  Write(client_, Side::kClient, keeper_.client_gather(), bytes);
}

void Session::ToBackend(std::string_view bytes) {
  Write(backend_, Side::kBackend, keeper_.backend_gather(), bytes);
}

void Session::FlushGathered() {
  std::string& to_backend = keeper_.backend_gather();
  if (!to_backend.empty() && backend_.stream) backend_.stream->Write(to_backend);
  if (state_ == SessionState::kLogin) Wipe(to_backend.data(), to_backend.size());
  to_backend.clear();
  std::string& to_client = keeper_.client_gather();
  if (!to_client.empty()) client_.stream->Write(to_client);
  to_client.clear();
}

bool Session::ClientHasRoom() const {
  return client_.stream->backlog() < (stalled_ ? kLowMark + 1 : kHighMark);
}

bool Session::BackendHasRoom() const {
  const std::size_t mark = client_.reading ? kHighMark : kLowMark + 1;
  return !backend_.stream || backend_.stream->backlog() < mark;
}

Duration Session::client_stall() const {
  return stall_total_ + (stalled_ ? now_ - stalled_since_ : Duration::zero());
}

}  // namespace postern
