// InFlight: the commands of one session that were begun and have not ended, in order of arrival,
// with what is needed to time and count them. Pure; owned by the engine; records come from the
// worker's pool, so that an idle session owns none and a relayed command allocates nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "postern/base/clock.h"

namespace postern {

// One command. The tag keeps its capacity when the record is used again.
struct CommandRecord {
  std::string tag;           // IMAP; empty in POP3
  std::uint8_t command = 0;  // imap::CommandKind or pop3::CommandKind
  bool local = false;        // POP3: answered by us; the answer waits in line
  bool denied = false;       // and that is because of a rule
  bool multiline = false;    // POP3: a positive reply has a body
  bool complete = false;     // all of it was read from the client
  bool first_byte_seen = false;
  bool writable = false;     // IMAP: a SELECT that opens a mailbox for writing
  bool behind_idle = false;  // IMAP: begun behind an IDLE that ended without its `+`
  Instant start{};           // last byte read, or the end of the command before it if that is later
  Duration stall_at_start{};  // the session's client stall then
  Duration first_byte{};      // from start to the first byte of the backend's answer
  // POP3: our own answer, when local. IMAP: with its code, what a refused SELECT is told instead of
  // the backend's own words.
  std::string reply;
  std::unique_ptr<CommandRecord> next;
};

// Records not in use. One per worker.
class InFlightPool {
 public:
  InFlightPool() = default;
  ~InFlightPool();
  InFlightPool(const InFlightPool&) = delete;
  InFlightPool& operator=(const InFlightPool&) = delete;

  std::unique_ptr<CommandRecord> Take();
  void Give(std::unique_ptr<CommandRecord> record);

 private:
  std::unique_ptr<CommandRecord> free_;
  std::size_t count_ = 0;
};

class InFlight {
 public:
  explicit InFlight(InFlightPool& pool) : pool_(pool) {}
  ~InFlight() { Clear(); }
  InFlight(const InFlight&) = delete;
  InFlight& operator=(const InFlight&) = delete;

  // Appends a fresh record. Valid until it is removed.
  CommandRecord& Add(std::string_view tag, std::uint8_t command);
  // The first record with this tag, byte for byte; null when nobody sent it.
  CommandRecord* Find(std::string_view tag);
  // The oldest one; null when empty.
  CommandRecord* front() { return head_.get(); }
  const CommandRecord* front() const { return head_.get(); }
  CommandRecord* back() { return tail_; }
  void Remove(CommandRecord& record);
  void Clear();
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

 private:
  InFlightPool& pool_;
  std::unique_ptr<CommandRecord> head_;
  CommandRecord* tail_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace postern
