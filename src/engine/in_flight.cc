#include "postern/engine/in_flight.h"

#include <utility>

namespace postern {
namespace {

// Enough for a burst of pipelined commands on many sessions; what is above it goes back to the
// heap.
constexpr std::size_t kKeptRecords = 1024;
// A local reply's or a tag's memory that is worth keeping with the record.
constexpr std::size_t kKeptText = 128;

void Forget(std::string& text) {
  text.clear();
  if (text.capacity() > kKeptText) text.shrink_to_fit();
}

}  // namespace

std::unique_ptr<CommandRecord> InFlightPool::Take() {
  if (!free_) return std::make_unique<CommandRecord>();
  std::unique_ptr<CommandRecord> record = std::move(free_);
  free_ = std::move(record->next);
  --count_;
  return record;
}

void InFlightPool::Give(std::unique_ptr<CommandRecord> record) {
  if (count_ >= kKeptRecords) return;
  Forget(record->tag);
  Forget(record->reply);
  record->next = std::move(free_);
  free_ = std::move(record);
  ++count_;
}

InFlightPool::~InFlightPool() {
  // One by one: a chain of unique_ptr would destroy itself recursively.
  while (free_) free_ = std::move(free_->next);
}

CommandRecord& InFlight::Add(std::string_view tag, std::uint8_t command) {
  std::unique_ptr<CommandRecord> fresh = pool_.Take();
  CommandRecord& record = *fresh;
  record.tag.assign(tag);
  record.command = command;
  record.local = record.denied = record.multiline = record.complete = false;
  record.first_byte_seen = record.behind_idle = record.writable = false;
  record.start = Instant{};
  record.stall_at_start = record.first_byte = Duration{};
  std::unique_ptr<CommandRecord>& end = tail_ == nullptr ? head_ : tail_->next;
  end = std::move(fresh);
  tail_ = &record;
  ++size_;
  return record;
}

CommandRecord* InFlight::Find(std::string_view tag) {
  for (CommandRecord* record = head_.get(); record != nullptr; record = record->next.get()) {
    if (record->tag == tag) return record;
  }
  return nullptr;
}

void InFlight::Remove(CommandRecord& record) {
  CommandRecord* before = nullptr;
  std::unique_ptr<CommandRecord>* link = &head_;
  while (link->get() != &record) {
    before = link->get();
    link = &before->next;
  }
  std::unique_ptr<CommandRecord> removed = std::move(*link);
  *link = std::move(removed->next);
  if (tail_ == removed.get()) tail_ = before;
  --size_;
  pool_.Give(std::move(removed));
}

void InFlight::Clear() {
  while (head_) Remove(*head_);
}

}  // namespace postern
