#include "engine/imap_core.h"

#include <algorithm>
#include <utility>

#include "postern/base/text.h"
#include "postern/imap/capability.h"
#include "postern/imap/head.h"

namespace postern {
namespace {

bool IsText(const imap::Arguments::Argument& argument) {
  return argument.kind == imap::Arguments::Kind::kAtom ||
         argument.kind == imap::Arguments::Kind::kString;
}

}  // namespace

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

void ImapCore::Count(imap::CommandKind kind, CommandResult result) {
  shard.CommandBegun(Protocol::kImap);
  counts.Add(static_cast<std::uint8_t>(kind));
  shard.CommandEnded(Labels(static_cast<std::uint8_t>(kind)), result, {}, {});
}

void ImapCore::Insert(std::string_view bytes) {
  shard.Inserted(Protocol::kImap, bytes.size());
  host.ToBackend(bytes);
}

std::string ImapCore::Capabilities(std::string_view names) const {
  const std::string filtered = imap::FilterCapabilities(names, host.plan().pass_capabilities(pool));
  const SessionRules* rules = host.rules();
  if (rules == nullptr || rules->hidden_capabilities().empty()) return filtered;
  return WithoutHidden(filtered, *rules);
}

std::optional<Refusal> ImapCore::LearnId(std::string_view arguments) {
  if (std::exchange(id_known, true)) return {};
  std::string name;
  std::string version;
  imap::Arguments walk(arguments);
  if (walk.Next().kind != imap::Arguments::Kind::kOpen) return host.LearnClientId({}, {});
  for (imap::Arguments::Argument key = walk.Next(); IsText(key); key = walk.Next()) {
    imap::Arguments::Argument value = walk.Next();
    if (!IsText(value)) break;
    if (!value.quoted && EqualsNoCase(value.value, "NIL")) continue;
    if (EqualsNoCase(key.value, "name") && name.empty()) name = std::move(value.value);
    if (EqualsNoCase(key.value, "version") && version.empty()) version = std::move(value.value);
  }
  return host.LearnClientId(name, version);
}

std::string WithoutHidden(std::string_view names, const SessionRules& rules) {
  std::string shown;
  const imap::CapabilitySet all = imap::CapabilitySet::Parse(names);
  for (const std::string& name : all.names()) {
    if (!rules.HidesCapability(name)) shown.append(shown.empty() ? "" : " ").append(name);
  }
  return shown;
}

std::string_view DrainText(CloseReason why) {
  if (why == CloseReason::kLimit) return "another session of yours has taken the place of this one";
  return why == CloseReason::kKicked ? "an administrator has ended this session"
                                     : "server shutting down";
}

CommandResult ResultOf(imap::ResponseHead::Status status) {
  using Word = imap::ResponseHead::Status;
  switch (status) {
    case Word::kOk:
      return CommandResult::kOk;
    case Word::kNo:
      return CommandResult::kNo;
    case Word::kBad:
      return CommandResult::kBad;
    case Word::kNone:
    case Word::kBye:
    case Word::kPreauth:
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
