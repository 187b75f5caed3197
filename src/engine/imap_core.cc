#include "engine/imap_core.h"

#include <algorithm>

namespace postern {

CommandRecord& ImapCore::Begin(std::string_view tag, imap::CommandKind kind) {
  shard.CommandBegun(Protocol::kImap);
  counts.Add(static_cast<std::uint8_t>(kind));
  return in_flight.Add(tag, static_cast<std::uint8_t>(kind));
}

void ImapCore::Complete(CommandRecord& record) {
  record.complete = true;
  record.start = host.now();
  record.stall_at_start = host.client_stall();
}

void ImapCore::FirstByte() {
  CommandRecord* record = in_flight.front();
  if (record == nullptr || !record->complete || record->first_byte_seen) return;
  record->first_byte_seen = true;
  record->first_byte = std::max(host.now() - record->start, Duration::zero());
}

void ImapCore::End(CommandRecord& record, CommandResult result) {
  const Instant now = host.now();
  const CommandLabels labels = Labels(record.command);
  Duration total{};
  if (record.complete) {
    const Duration stall = host.client_stall() - record.stall_at_start;
    total = std::max(now - record.start - stall, Duration::zero());
    if (stall > Duration::zero()) shard.ClientStall(Protocol::kImap, pool, stall);
  }
  const Duration first_byte = record.first_byte_seen ? std::min(record.first_byte, total) : total;
  shard.CommandEnded(labels, result, total, first_byte);
  if (total >= host.plan().slow && record.complete) {
    host.SlowCommand(imap::CommandName(static_cast<imap::CommandKind>(record.command)), first_byte,
                     total);
  }
  CommandRecord* next = record.next.get();
  in_flight.Remove(record);
  if (next != nullptr && next->complete) Complete(*next);
}

void ImapCore::AbortAll() {
  while (!in_flight.empty()) {
    CommandRecord& record = *in_flight.front();
    shard.CommandEnded(Labels(record.command), CommandResult::kAborted, {}, {});
    in_flight.Remove(record);
  }
}

void ImapCore::Finish(CloseReason reason, EngineHost::Ending ending) {
  if (finished) return;
  finished = true;
  AbortAll();
  host.Finish(reason, ending);
}

void ImapCore::CountLocal(imap::CommandKind kind) {
  shard.CommandBegun(Protocol::kImap);
  counts.Add(static_cast<std::uint8_t>(kind));
  shard.CommandEnded(Labels(static_cast<std::uint8_t>(kind)), CommandResult::kLocal, {}, {});
}

void ImapCore::Insert(std::string_view bytes) {
  shard.Inserted(Protocol::kImap, bytes.size());
  host.ToBackend(bytes);
}

CommandResult ResultOf(imap::ResponseHead::Status status) {
  using Status = imap::ResponseHead::Status;
  switch (status) {
    case Status::kOk:
      return CommandResult::kOk;
    case Status::kNo:
      return CommandResult::kNo;
    case Status::kBad:
      return CommandResult::kBad;
    case Status::kNone:
    case Status::kBye:
    case Status::kPreauth:
      break;
  }
  return CommandResult::kBad;
}

std::string Tagged(std::string_view tag, std::string_view status, std::string_view text) {
  std::string line;
  line.reserve(tag.size() + status.size() + text.size() + 4);
  line.append(tag).append(" ").append(status).append(" ").append(text).append("\r\n");
  return line;
}

}  // namespace postern
