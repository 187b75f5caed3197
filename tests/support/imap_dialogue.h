// ImapDialogue: an ImapEngine between a client that speaks from a list and a backend that answers
// by the rules, both at their own pace: bytes wait until they are let go, rooms fill, sides end.
// Keeps what was said, so that a fuzzer can judge it. One thread.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "postern/engine/imap_engine.h"
#include "support/fake_host.h"
#include "support/for_every_split.h"
#include "support/naive_imap_backend.h"

namespace postern::testing {

class ImapDialogue {
 public:
  struct Said {
    std::string tag, verb;
    std::string forwarded;  // with its tag; "" when it is never relayed
  };
  enum class Answer : std::uint8_t { kOk, kNo, kBad, kData, kChallenge };

  // Arrivals come whole, or every byte alone.
  explicit ImapDialogue(bool byte_by_byte, std::string capabilities)
      : byte_by_byte_(byte_by_byte), capabilities_(std::move(capabilities)) {}

  FakeSession<ImapEngine>& session() { return session_; }
  FakeHost& host() { return session_.host; }

  // ---- the client: what it says waits until some of it arrives
  void Say(std::string_view verb_and_rest, std::string_view forwarded) {
    const std::string tag = "t" + std::to_string(said_.size());
    const std::size_t begin = verb_and_rest.find_first_not_of(' ');
    const std::size_t end = verb_and_rest.find_first_of(" \r\n", begin);
    said_.push_back({tag, std::string(verb_and_rest.substr(begin, end - begin)),
                     forwarded.empty() ? "" : tag + std::string(forwarded)});
    client_queue_ += tag + std::string(verb_and_rest);
  }
  void SayRaw(std::string_view bytes) { client_queue_ += bytes; }
  void ArriveClient(std::size_t most) {
    if (client_ended_ || ended() || Securing(Side::kClient)) return;
    const std::string part = client_queue_.substr(0, most);
    client_queue_.erase(0, part.size());
    Deliver(part, Side::kClient);
    CheckBlocked();
  }
  void EndClient() {
    const bool waits = session_.engine.client_blocked() && !session_.client_pending.empty();
    if (client_ended_ || waits || ended()) return;
    client_ended_ = true;
    session_.ClientEnd();
    Collect();
  }

  // ---- the backend
  bool connecting() const { return session_.host.connects.size() > connects_ || rejected_; }
  void Connect(bool good) {
    Collect();
    if (host().end || !connecting()) return;
    // A backend that is of no use has one substitute.
    const bool substitute = std::exchange(rejected_, false);
    if (!substitute) ++connects_;
    const bool last = std::exchange(substituted_, substitute) && substitute;
    if (!good || last) return session_.BackendFailed(), Collect();
    connected_ = true;
    logged_in_ = false;
    backend_secured_ = Started(Side::kBackend);  // what was asked of another backend is gone
    reader_ = {};
    backend_queue_ = "* OK [CAPABILITY " + capabilities_ + "] ready\r\n";
    waiting_for_ = {};
    session_.BackendConnected();
    Collect();
  }
  // Answers the next thing that the backend was asked; false when there is none.
  bool AnswerNext(Answer how) {
    Collect();
    if (!connected_ || Securing(Side::kBackend)) return false;
    const CommandReader::Event event = reader_.Next();
    if (event == CommandReader::Event::kNone) return false;
    if (event == CommandReader::Event::kMark) {
      OnMark(how);
    } else {
      OnCommand(reader_.current(), how);
    }
    return true;
  }
  void TellRaw(std::string_view bytes) {
    if (connected_) backend_queue_ += bytes;
  }
  void ArriveBackend(std::size_t most) {
    if (!connected_ || ended() || Securing(Side::kBackend)) return;
    const std::string part = backend_queue_.substr(0, most);
    backend_queue_.erase(0, part.size());
    Deliver(part, Side::kBackend);
  }
  // An end is seen behind all bytes, and those are offered where there is room.
  void EndBackend() {
    if (!connected_ || ended() || !host().client_room || !host().backend_room) return;
    connected_ = false;
    session_.BackendEnd();
    Collect();
  }

  // ---- both
  void Secure() {
    if (ended()) return;
    if (Securing(Side::kClient)) {
      ++client_secured_;
      session_.Secured(Side::kClient);
    } else if (Securing(Side::kBackend) && connected_) {
      ++backend_secured_;
      session_.Secured(Side::kBackend);
    }
    Collect();
  }
  void SetRooms(bool client, bool backend) {
    host().client_room = client;
    host().backend_room = backend;
    session_.Drained();
    Collect();
  }
  // what: a member of the session, or a function of it.
  template <typename What>
  void Happen(What what) {
    if (ended()) return;
    std::invoke(what, session_);
    Collect();
  }
  void Timeout(Engine::Timeout which) {
    if (ended()) return;
    session_.Timeout(which);
    Collect();
  }

  // ---- what became of it
  const std::vector<Said>& said() const { return said_; }
  // Behind the login, as the backend read them; the last word of each is in answered().
  const std::vector<SeenCommand>& relayed() const { return relayed_; }
  // By tag, what the backend said of relayed commands: "OK", "NO", "BAD".
  const std::map<std::string, std::string>& answered() const { return answered_; }
  const std::string& to_client() const { return to_client_; }
  const std::string& to_backend() const { return to_backend_; }
  bool ended() const { return abandoned_ || session_.host.end.has_value(); }
  // Somebody spoke plain text where TLS should begin: which of two laws that breaks depends on when
  // it arrived.
  bool broke_tls() const {
    return broke_tls_ || session_.host.Ended(CloseReason::kStarttlsInjection);
  }
  // A challenge was relayed, and the client's next line was its answer.
  bool challenged() const { return challenged_; }

 private:
  void Deliver(std::string_view bytes, Side side) {
    if (bytes.empty()) return;
    const Split split(bytes, byte_by_byte_ ? EveryByte(bytes.size()) : std::vector<std::size_t>{});
    for (std::size_t i = 0; i < split.size() && !ended(); ++i) {
      if (Securing(side)) return BreakTls(side);
      if (side == Side::kBackend && !connected_) return;
      side == Side::kClient ? session_.Client(split[i]) : session_.Backend(split[i]);
      Collect();
    }
  }
  // Plain text where a handshake should begin.
  void BreakTls(Side side) {
    broke_tls_ = true;
    if (side == Side::kBackend) return EndBackend();
    session_.Abandoned();
    Collect();
    abandoned_ = true;
  }
  std::ptrdiff_t Started(Side side) const {
    const auto& started = session_.host.tls_started;
    return std::count(started.begin(), started.end(), side);
  }
  // TLS has been asked for on this side and is not there yet.
  bool Securing(Side side) const {
    return Started(side) > (side == Side::kClient ? client_secured_ : backend_secured_);
  }
  // Bytes may wait only where the engine says so, or for the rest of their line or literal.
  void CheckBlocked() {
    if (host().end || session_.engine.client_blocked()) return;
    POSTERN_CHECK(session_.client_pending.size() <= 64 * 1024);
  }
  void Collect() {
    to_client_ += host().TakeClient();
    const std::string sent = host().TakeBackend();
    to_backend_ += sent;
    reader_.Feed(sent);
    const auto drops = static_cast<std::size_t>(host().drops);
    if (drops > drops_) drops_ = drops, connected_ = false;
    if (host().rejections.size() > rejections_) {
      rejections_ = host().rejections.size();
      connects_ = host().connects.size();  // also one that was still under way
      connected_ = false;
      rejected_ = true;
    }
    if (Securing(Side::kClient)) POSTERN_CHECK(session_.client_pending.empty());
  }

  void OnMark(Answer how) {
    if (how != Answer::kNo || !logged_in_) return TellRaw("+ go\r\n");
    Relayed(reader_.current(), "NO");
    reader_.Refuse();
  }
  void OnCommand(const SeenCommand& command, Answer how) {
    static const std::map<Answer, std::string> kWords = {{Answer::kOk, "OK"},
                                                         {Answer::kNo, "NO"},
                                                         {Answer::kBad, "BAD"},
                                                         {Answer::kData, "OK"},
                                                         {Answer::kChallenge, "NO"}};
    if (!waiting_for_.empty()) {  // the rest of an AUTHENTICATE or an IDLE
      const std::string tag = std::exchange(waiting_for_, {});
      if (logged_in_) return Relayed(command, tag, "OK");
      return Login(tag, kWords.at(how));
    }
    const std::string verb = command.Verb();
    if (!logged_in_) {
      const bool has_response = std::count(command.text.begin(), command.text.end(), ' ') > 2;
      if (verb == "AUTHENTICATE" && (!has_response || how == Answer::kChallenge)) {
        waiting_for_ = command.Tag();
        challenged_ |= has_response;
        return TellRaw("+ \r\n");
      }
      if (verb == "LOGIN" || verb == "AUTHENTICATE") return Login(command.Tag(), kWords.at(how));
      if (verb == "CAPABILITY") TellRaw("* CAPABILITY " + capabilities_ + "\r\n");
      return TellRaw(command.Tag() + " OK done\r\n");
    }
    if (verb == "IDLE") {
      waiting_for_ = command.Tag();
      relayed_.push_back(command);
      return TellRaw("+ idling\r\n");
    }
    if (how == Answer::kData) TellRaw("* 1 FETCH (BODY[] {14}\r\n\r\nt0 OK done\r\n)\r\n");
    Relayed(command, kWords.at(how));
  }
  void Login(const std::string& tag, const std::string& word) {
    logged_in_ = word == "OK";
    const std::string code = logged_in_ ? " [CAPABILITY " + capabilities_ + "]" : "";
    TellRaw(tag + " " + word + code + " login\r\n");
  }
  void Relayed(const SeenCommand& command, const std::string& word) {
    Relayed(command, command.Tag(), word);
  }
  void Relayed(const SeenCommand& command, const std::string& tag, const std::string& word) {
    relayed_.push_back(command);
    answered_[tag] = word;
    TellRaw(tag + " " + word + " done\r\n");
  }

  const bool byte_by_byte_;
  const std::string capabilities_;
  FakeSession<ImapEngine> session_;
  CommandReader reader_;
  std::vector<Said> said_;
  std::vector<SeenCommand> relayed_;
  std::map<std::string, std::string> answered_;
  std::string client_queue_, backend_queue_, to_client_, to_backend_;
  std::string waiting_for_;  // the tag whose continuation comes next
  std::size_t connects_ = 0, rejections_ = 0, drops_ = 0;
  std::ptrdiff_t client_secured_ = 0, backend_secured_ = 0;
  bool client_ended_ = false, connected_ = false, rejected_ = false, logged_in_ = false;
  bool substituted_ = false, abandoned_ = false, broke_tls_ = false, challenged_ = false;
};

}  // namespace postern::testing
