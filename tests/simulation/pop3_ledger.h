// Pop3Ledger: the books of one POP3 session. Replies have no tags, so everything is a matter of
// order: the backend reads the client's commands, those that may pass, one after the other, and the
// client gets their replies in that order with Postern's own among them. Owned by the client's
// actor; one thread.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "postern/net/stream.h"
#include "simulation/record.h"

namespace postern::testing {

// A command line as the client means it.
struct Pop3Command {
  std::string bytes;    // what a backend must see: no trailing spaces
  bool passes = false;  // behind the login it reaches the backend
  bool body = false;    // +OK is followed by lines up to a dot
  bool login = false;   // +OK means that the client is in
  bool good = false;    // a login with the right secret
  bool ruled = false;   // the backend has read one behind it: a rule must have refused it
};

// Splits what a server says, naively.
class ReplyReader {
 public:
  void Feed(std::string_view bytes) { bytes_.append(bytes); }
  // A whole reply; body: it has one if it is positive.
  std::optional<std::string> Next(bool body);
  const std::string& partial() const { return bytes_; }

 private:
  std::string bytes_;
  std::size_t scan_ = 0;
};

class Pop3Ledger {
 public:
  Pop3Ledger(Record& record, std::string name) : record_(record), name_(std::move(name)) {}

  // The world has rules, which may refuse commands; and the verbs that they never let through.
  void ExpectRules(std::vector<std::string> forbidden) {
    ruled_ = true;
    forbidden_ = std::move(forbidden);
  }
  void ClientSends(const Pop3Command& command) { sent_.push_back(command); }
  void PosternWrote(std::string_view bytes);
  void PosternClosed(Stream::How how);
  void LoginAccepted();
  void BackendRead(std::string_view line);
  void BackendSays(std::string reply) { said_.push_back(std::move(reply)); }

 private:
  const Pop3Command* head() const { return answered_ < sent_.size() ? &sent_[answered_] : nullptr; }
  void OnReply(const std::string& reply);
  void OnAnswer(const Pop3Command& command, const std::string& reply);
  void CheckCodes(const Pop3Command* command, const std::string& reply);
  bool TakeRelayed(const Pop3Command& command, const std::string& reply);
  void Violate(std::string_view law, const std::string& what) {
    record_.Violate(law, name_ + ": " + what);
  }

  Record& record_;
  const std::string name_;
  bool ruled_ = false;
  std::vector<std::string> forbidden_;
  std::vector<Pop3Command> sent_;
  std::size_t answered_ = 0;         // the first one without a reply
  std::size_t next_at_backend_ = 0;  // the first one that the backend may read next
  std::deque<std::string> said_;     // by the backend, and not yet seen by the client
  ReplyReader to_client_;
  bool greeted_ = false;
  bool accepted_ = false;    // by a backend
  bool logged_in_ = false;   // the client knows
  bool last_words_ = false;  // Postern has said why it ends
};

}  // namespace postern::testing
