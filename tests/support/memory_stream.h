// MemoryStream: two connected streams without sockets, clocks or threads; MemoryNetwork moves their
// bytes when the test says so, so that nothing happens inside a Write and every order can be tried.
// The network is the test's; each end belongs to whoever opened it and may be destroyed at any
// time.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "postern/net/stream.h"

namespace postern {

class MemoryStream final : public Stream {
 public:
  struct End;  // what travels towards one end and what that end wants; outlives the stream

  explicit MemoryStream(std::shared_ptr<End> end) : end_(std::move(end)) {}
  ~MemoryStream() override;
  MemoryStream(const MemoryStream&) = delete;
  MemoryStream& operator=(const MemoryStream&) = delete;

  void Start(Observer& observer) override;
  void Write(std::string_view bytes) override;
  std::size_t backlog() const override;
  void SetReading(bool on) override;
  void Close(How how) override;

  // At most this many bytes in one OnBytes of this end; 64 KiB at first.
  void set_piece(std::size_t size);
  // How much an unread peer takes before it counts as this end's backlog; 64 KiB at first.
  void set_window(std::size_t size);
  // Makes the next delivery at this end a failure, as of a reset or a failed write.
  void Break(const Status& why);
  // Ends this direction as FIN does, without the close of a Stream.
  void ShutDown();
  bool closed() const;
  // Calls of Write so far: what would have been system calls.
  int writes() const { return writes_; }

 private:
  std::shared_ptr<End> end_;
  int writes_ = 0;
};

class MemoryNetwork {
 public:
  using Pair = std::pair<std::unique_ptr<MemoryStream>, std::unique_ptr<MemoryStream>>;
  Pair Connect();
  // One delivery to one end. False when nothing can move.
  bool Step();
  // Steps until nothing moves.
  void Run();

 private:
  std::vector<std::shared_ptr<MemoryStream::End>> ends_;
  std::size_t next_ = 0;
};

}  // namespace postern
