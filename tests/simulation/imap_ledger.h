// ImapLedger: the books of one IMAP session. Three parties tell it what they say: the client, the
// backend, and, as it is written, Postern. It holds Postern to the invariants of SECURITY 3.1 with
// nothing but naive readers. Owned by the client's actor; one thread.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "postern/net/stream.h"
#include "simulation/imap_reader.h"
#include "simulation/record.h"

namespace postern::testing {

// A command as the client means it.
struct ImapCommand {
  enum class Fate : std::uint8_t {
    kForwarded,  // reaches the backend as it stands, or not at all
    kMust,       // the same, and a client that is logged in is not refused it
    kRewritten,  // reaches the backend with other arguments, or is answered by Postern
    kLocal,      // never reaches a backend
  };
  std::string tag;
  std::string verb;   // upper case; of UID the second word
  std::string bytes;  // what a backend must see: its literals synchronising, no trailing spaces
  Fate fate = Fate::kForwarded;
  bool login = false;
  bool good = false;  // a login with the right secret
};

class ImapLedger {
 public:
  ImapLedger(Record& record, std::string name) : record_(record), name_(std::move(name)) {}

  // The world has rules, which may refuse commands and rewrite SELECT and CLOSE; and the verbs that
  // they never let through.
  void ExpectRules(std::vector<std::string> forbidden) {
    ruled_ = true;
    forbidden_ = std::move(forbidden);
  }

  // The client has begun to send the next command; it sends DONE.
  void ClientSends(const ImapCommand& command);
  void ClientSendsDone() { ++dones_; }
  // It has ended its side, or broken the connection.
  void ClientLeaves() { left_ = true; }
  // Postern has written to the client, and ended.
  void PosternWrote(std::string_view bytes);
  void PosternClosed(Stream::How how);
  // Backends: one has accepted the login; what it reads and says from then on.
  void LoginAccepted();
  void BackendRead(std::string_view command);
  void BackendReadDone();
  // It refused the literal that the command announces so far.
  void BackendRefuses(std::string_view begin);
  enum class Words : std::uint8_t {
    kVerbatim,      // reaches the client as it stands
    kCapability,    // lists capabilities, which are filtered
    kContinuation,  // may be swallowed
  };
  void BackendSays(std::string_view response, Words words);

 private:
  struct Entry {
    ImapCommand command;
    bool at_backend = false;
    bool ended = false;
    bool deselects = false;  // a rule refused the SELECT: the backend reads EXAMINE ""
  };
  struct Said {
    std::string text;
    Words words;
  };

  // The command, now at the backend; null when that breaks a law.
  Entry* Arrive(std::string_view text);
  bool TakeRelayed(const std::string& response);
  bool IsRuled(Entry& entry, std::string_view text) const;
  static bool Matches(const Said& said, const std::string& response);
  void JudgeOwn(const std::string& response);
  void JudgeOwnTagged(const std::string& response);
  void End(const std::string& response);
  void CheckCodes(const std::string& response);
  Entry* Find(const std::string& tag);
  void Violate(std::string_view law, const std::string& what);

  Record& record_;
  const std::string name_;
  bool ruled_ = false;
  std::vector<std::string> forbidden_;
  std::vector<Entry> sent_;
  std::size_t next_at_backend_ = 0;  // commands before this one may not come any more
  int dones_ = 0;
  int dones_at_backend_ = 0;
  std::deque<Said> said_;  // by the backend, and not yet seen by the client
  ResponseReader to_client_;
  bool accepted_ = false;   // by a backend
  bool logged_in_ = false;  // the client knows
  bool bye_ = false;        // Postern has said it
  bool left_ = false;       // the client
};

}  // namespace postern::testing
