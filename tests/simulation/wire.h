// Wire: one connection without a socket. Its near end is a Stream, Postern's; at its far end is an
// actor. Bytes go over in seeded pieces after seeded delays, through a kernel buffer of bounded
// size, so that backlogs, marks, paused reading and slow peers happen. Owned by the world, which it
// does not outlive; one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "postern/net/stream.h"
#include "simulation/byte_queue.h"
#include "simulation/random.h"
#include "simulation/record.h"
#include "simulation/timeline.h"

namespace postern::testing {

// The actor at the far end: a client or a backend. Told when it happens what Postern does at the
// near end, and later, as any peer, what came over.
class Far {
 public:
  virtual ~Far() = default;
  virtual void OnNearWrote(std::string_view bytes) = 0;
  virtual void OnNearClosed(Stream::How how) = 0;
  virtual void OnReceived(std::string_view bytes) = 0;
  // Nothing more comes. Clean: the end was orderly (FIN, close_notify); else the connection broke.
  virtual void OnClosed(bool clean) = 0;
};

// How a connection behaves.
struct Habits {
  std::size_t window = 64 * 1024;      // what the kernel holds towards the far end
  std::size_t near_piece = 64 * 1024;  // at most in one OnBytes
  std::size_t far_piece = 64 * 1024;
  Duration delay = std::chrono::milliseconds(2);  // at most, of a piece
  unsigned stalls = 0;                            // of 100 pieces to the far end
  Duration stall = std::chrono::seconds(20);      // at most

  static Habits Seeded(Random& random);
};

class Wire {
 public:
  // owner: whose memory what Postern does in a callback of this wire is (HeldBy).
  Wire(Timeline& timeline, Record& record, const Random& random, const Habits& habits,
       std::string name, std::size_t owner);
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;

  // Once. The stream may outlive its use but not the wire.
  std::unique_ptr<Stream> Near();
  void Attach(Far& far) { far_ = &far; }

  // For the far end. After Finish nothing is sent; after Reset nothing happens at all.
  void Send(std::string_view bytes);
  void Finish();
  void Reset();
  bool far_ended() const { return finished_ || reset_; }

  // When the far end's end was told to Postern; nothing before.
  std::optional<Instant> told_of_end() const { return told_of_end_; }
  bool near_closed() const { return near_closed_; }
  bool near_destroyed() const { return near_destroyed_; }
  std::size_t backlog() const { return backlog_.size(); }
  // Bytes that came up to Postern, and that it wrote.
  std::uint64_t delivered() const { return delivered_; }
  std::uint64_t written() const { return written_; }
  const std::string& name() const { return name_; }
  bool to_backend = false;  // which of the two sides of Postern this is, for sabotage

 private:
  class NearStream;

  // The near end's.
  void Start(Stream::Observer& observer);
  void Write(std::string_view bytes);
  void SetReading(bool on);
  void Close(Stream::How how);
  Stream::Peer peer() const;

  bool CanDeliver() const;
  void PlanToNear();
  void DeliverToNear();
  void FillKernel();
  void PlanToFar();
  void DeliverToFar();
  void PlanDrained();
  Duration Delay();
  std::string Sabotaged(std::string_view bytes) const;

  Timeline& timeline_;
  Record& record_;
  Random random_;
  const Habits habits_;
  const std::string name_;
  const std::size_t owner_;
  Far* far_ = nullptr;
  Stream::Observer* observer_ = nullptr;
  ByteQueue to_near_;
  ByteQueue backlog_;  // accepted by the near end's Write, not yet by the kernel
  ByteQueue kernel_;   // towards the far end
  bool reading_ = true;
  bool finished_ = false;
  bool reset_ = false;
  bool wrote_after_reset_ = false;
  bool end_told_ = false;
  bool near_closed_ = false;
  bool near_destroyed_ = false;
  bool far_told_ = false;
  bool was_high_ = false;
  bool near_planned_ = false;
  bool far_planned_ = false;
  Stream::How how_ = Stream::How::kFlush;
  std::optional<Instant> told_of_end_;
  std::uint64_t delivered_ = 0;
  std::uint64_t written_ = 0;
};

}  // namespace postern::testing
