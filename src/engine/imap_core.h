// ImapCore: what the login and the relay of one IMAP session share: the host, the commands in
// flight, their timing and counting, and our own words to the client. Owned by the engine. Pure;
// the worker's thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "postern/engine/command_counts.h"
#include "postern/engine/engine_context.h"
#include "postern/imap/command.h"
#include "postern/imap/response.h"

namespace postern {

struct ImapCore {
  explicit ImapCore(const EngineContext& context)
      : host(context.host), shard(context.shard), in_flight(context.pool) {}

  // A command was begun and goes into flight.
  CommandRecord& Begin(std::string_view tag, imap::CommandKind kind);
  // All of it was read from the client: its time starts now, or at the end of the one before it.
  void Complete(CommandRecord& record);
  // The first bytes of an answer arrived while this command was the oldest.
  void FirstByte();
  // It ended: counted, timed, forgotten; the next in line starts no earlier than now.
  void End(CommandRecord& record, CommandResult result);
  // All that is in flight was cut off.
  void AbortAll();
  // A command that we answer ourselves, begun and ended at once.
  void CountLocal(imap::CommandKind kind) { Count(kind, CommandResult::kLocal); }
  void Count(imap::CommandKind kind, CommandResult result);

  // Of the names behind a backend's `CAPABILITY `, what this client may see.
  std::string Capabilities(std::string_view names) const;
  // What an ID's list says of the client's program, once a session. The refusal when rules do not
  // want it: the session is to end.
  std::optional<Refusal> LearnId(std::string_view arguments);

  // The end of the conversation; what was in flight is counted as aborted.
  void Finish(CloseReason reason, EngineHost::Ending ending);
  bool ended() const { return finished; }

  // Bytes of ours to the backend, bytes of the client that go no further: the laws of DESIGN 1.4
  // count them.
  void Insert(std::string_view bytes);
  void Elide(std::size_t count) { shard.Elided(Protocol::kImap, count); }
  void Rewritten(Rewrite kind) { shard.Rewritten(Protocol::kImap, kind); }

  CommandLabels Labels(std::uint8_t command) const {
    return {Protocol::kImap, command, pool, backend};
  }

  EngineHost& host;
  Shard& shard;
  InFlight in_flight;
  CommandCounts counts;
  PoolId pool = kNoPool;
  BackendId backend = kNoBackend;
  imap::CommandSet relayable;  // fixed when the login ends
  bool backend_has_id = false;
  imap::AppendForms append_forms;
  bool finished = false;
  bool id_known = false;  // the client has said its first ID
  std::string user;
};

// What a client is told whose session ends at a command boundary; why: kDrained, kKicked or kLimit.
// Static.
std::string_view DrainText(CloseReason why);

// names without those that the rules hide; separated by single spaces.
std::string WithoutHidden(std::string_view names, const SessionRules& rules);

// The result that a tagged response's status stands for.
CommandResult ResultOf(imap::ResponseHead::Status status);

// "tag BAD text\r\n" and its like. text is ours, with its code (trouble.h), or a backend's.
std::string Tagged(std::string_view tag, std::string_view status, std::string_view text);

}  // namespace postern
