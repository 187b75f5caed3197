// NaiveImapBackend: an IMAP backend that takes every well-formed mark at a line's end for a literal
// and answers each command at once; and the visit of a client to it through an ImapEngine. For
// fuzzers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "postern/base/text.h"
#include "postern/engine/imap_engine.h"
#include "postern/imap/framer.h"
#include "support/fake_host.h"

namespace postern::testing {

// A command as such a backend reads it: its lines and literals, with synchronising marks.
struct SeenCommand {
  std::string text;
  bool literal = false;
  std::string Verb() const {
    const std::size_t space = text.find(' ');
    if (space == std::string::npos) return {};
    const std::size_t end = text.find_first_of(" \r", space + 1);
    const std::string verb = ToUpper(text.substr(space + 1, end - space - 1));
    if (verb != "UID" || end == std::string::npos) return verb;
    return ToUpper(text.substr(end + 1, text.find_first_of(" \r", end + 1) - end - 1));
  }
  std::string Tag() const { return text.substr(0, text.find(' ')); }
};

// Reads commands from a stream as it comes. Lines end in CRLF.
class CommandReader {
 public:
  // What happened last: a line that ends in a mark asks for a `+`.
  enum class Event : std::uint8_t { kNone, kMark, kCommand };

  void Feed(std::string_view bytes) { pending_.append(bytes); }
  // The next event; its command is current().
  Event Next() {
    while (true) {
      if (literal_left_ > 0 || in_literal_) {
        if (pending_.size() < literal_left_) return Event::kNone;
        current_.text.append(pending_, 0, literal_left_);
        pending_.erase(0, literal_left_);
        literal_left_ = 0;
        in_literal_ = false;
      }
      if (over_) current_ = {}, over_ = false;
      const std::size_t end = pending_.find("\r\n");
      if (end == std::string::npos) return Event::kNone;
      std::string line = pending_.substr(0, end);
      pending_.erase(0, end + 2);
      imap::LiteralMark mark;
      const bool literal = imap::ReadLineEnd(line, &mark) == imap::LineEnd::kLiteral;
      if (literal && !mark.synchronising) line.replace(line.size() - 2, 2, "}");
      if (!literal) line.erase(line.find_last_not_of(' ') + 1);
      current_.text += line + "\r\n";
      current_.literal |= literal;
      last_ = mark;
      over_ = !literal;
      if (!literal) return Event::kCommand;
      literal_left_ = static_cast<std::size_t>(mark.size);
      in_literal_ = true;
      return Event::kMark;
    }
  }
  const SeenCommand& current() const { return current_; }
  const imap::LiteralMark& mark() const { return last_; }
  // The literal that was announced does not come.
  void Refuse() {
    literal_left_ = 0;
    in_literal_ = false;
    over_ = true;
  }
  // Nothing of a command has come.
  bool clean() const { return pending_.empty() && (over_ || current_.text.empty()); }

 private:
  std::string pending_;
  SeenCommand current_;
  imap::LiteralMark last_;
  std::size_t literal_left_ = 0;
  bool in_literal_ = false;
  bool over_ = false;
};

// One client's visit. Bytes go in; the backend answers what the engine sends it.
class NaiveImapVisit {
 public:
  struct Manners {
    std::string capabilities;
    bool refuses_literals = false;  // every third literal gets NO instead of `+`
    bool refuses_logins = false;    // every first login
  };

  explicit NaiveImapVisit(const Manners& manners) : manners_(manners) { session_.Start(); }

  void Client(std::string_view bytes) {
    session_.Client(bytes);
    while (!session_.host.end && Answer()) {
    }
    Collect();
  }
  const FakeHost& host() const { return session_.host; }
  FakeSession<ImapEngine>& session() { return session_; }
  const std::vector<SeenCommand>& relayed() const { return relayed_; }
  const std::vector<SeenCommand>& logins() const { return logins_; }
  const std::string& to_client() const { return to_client_; }
  const std::string& to_backend() const { return to_backend_; }
  std::size_t client_at_login() const { return client_at_login_; }

 private:
  void Collect() {
    to_client_ += session_.host.TakeClient();
    const std::string sent = session_.host.TakeBackend();
    to_backend_ += sent;
    reader_.Feed(sent);
  }
  // True when the backend had something to say.
  bool Answer() {
    Collect();
    if (session_.host.connects.size() > connects_) {
      ++connects_;
      reader_ = {};
      session_.BackendConnected();
      session_.Backend("* OK ready\r\n");
      return true;
    }
    const CommandReader::Event event = reader_.Next();
    if (event == CommandReader::Event::kNone) return false;
    if (event == CommandReader::Event::kMark) return OnMark(), true;
    OnCommand(reader_.current());
    return true;
  }
  void OnMark() {
    const bool refuse =
        manners_.refuses_literals && session_.host.logged_in && ++literals_ % 3 == 0;
    if (!refuse) return session_.Backend("+ go\r\n");
    relayed_.push_back(reader_.current());
    reader_.Refuse();
    session_.Backend(relayed_.back().Tag() + " NO not that\r\n");
  }
  void OnCommand(const SeenCommand& command) {
    if (!session_.host.logged_in) return OnLogin(command);
    relayed_.push_back(command);
    if (idle_) {
      idle_ = false;
      return session_.Backend(idle_tag_ + " OK done\r\n");
    }
    if (command.Verb() == "IDLE") {
      idle_ = true;
      idle_tag_ = command.Tag();
      return session_.Backend("+ idling\r\n");
    }
    session_.Backend(command.Tag() + " OK done\r\n");
  }
  void OnLogin(const SeenCommand& command) {
    if (command.text == "postern0 CAPABILITY\r\n") {
      return session_.Backend("* CAPABILITY " + manners_.capabilities + "\r\npostern0 OK\r\n");
    }
    logins_.push_back(command);
    if (manners_.refuses_logins && logins_.size() == 1) {
      return session_.Backend("postern1 NO no\r\n");
    }
    client_at_login_ = session_.client_consumed;
    session_.Backend("postern1 OK [CAPABILITY " + manners_.capabilities + "] in\r\n");
  }

  Manners manners_;
  FakeSession<ImapEngine> session_;
  CommandReader reader_;
  std::vector<SeenCommand> relayed_, logins_;
  std::string to_client_, to_backend_, idle_tag_;
  std::size_t connects_ = 0, literals_ = 0, client_at_login_ = 0;
  bool idle_ = false;
};

}  // namespace postern::testing
