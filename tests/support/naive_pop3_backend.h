// A POP3 backend and a model of the relay, written down a second time and obviously: what of a
// client's lines may pass, what a backend answers, what the client must see. Pure; for property
// tests and fuzzers. A disagreement with the engine ends the process.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "postern/base/check.h"
#include "postern/base/text.h"
#include "postern/engine/limits.h"
#include "postern/engine/pop3_engine.h"
#include "support/fake_host.h"
#include "support/for_every_split.h"
#include "support/naive_pop3.h"

namespace postern::testing {

// One command line of a client that is logged in.
struct NaiveVerdict {
  bool relayed = false;
  bool body = false;  // a positive reply has one
  bool quit = false;
  std::string bytes;  // what the backend gets, with CRLF
  std::string verb;
};

inline NaiveVerdict JudgeNaively(std::string_view line) {
  while (!line.empty() && line.back() == ' ') line.remove_suffix(1);
  std::vector<std::string> words(1);
  for (const char c : line) {
    if (c == ' ') {
      words.emplace_back();
    } else if (c > 0x20 && c < 0x7f) {
      words.back().push_back(c);
    } else {
      return {};
    }
  }
  for (const std::string& word : words) {
    if (word.empty()) return {};
  }
  // The counts of arguments that are right, and those of them that make a reply with a body.
  using Counts = std::vector<std::size_t>;
  static const std::map<std::string, std::pair<Counts, Counts>> kVerbs = {
      {"STAT", {{0}, {}}},     {"RSET", {{0}, {}}},    {"NOOP", {{0}, {}}}, {"QUIT", {{0}, {}}},
      {"DELE", {{1}, {}}},     {"RETR", {{1}, {1}}},   {"TOP", {{2}, {2}}}, {"CAPA", {{0}, {0}}},
      {"LIST", {{0, 1}, {0}}}, {"UIDL", {{0, 1}, {0}}}};
  NaiveVerdict verdict;
  verdict.verb = ToUpper(words[0]);
  const auto known = kVerbs.find(verdict.verb);
  if (known == kVerbs.end()) return {};
  for (const std::size_t count : known->second.first) verdict.relayed |= count == words.size() - 1;
  for (const std::size_t count : known->second.second) verdict.body |= count == words.size() - 1;
  if (!verdict.relayed) return {};
  verdict.quit = verdict.verb == "QUIT";
  verdict.bytes = std::string(line) + "\r\n";
  return verdict;
}

// What a backend answers to its nth relayed command.
inline std::string NaiveReply(const NaiveVerdict& command, std::size_t n) {
  const std::string number = std::to_string(n);
  if (n % 5 == 4) return "-ERR " + number + "\r\n";
  const std::string status = "+OK " + number + "\r\n";
  if (!command.body) return status;
  // Nothing of this list is filtered.
  if (command.verb == "CAPA")
    return status + "TOP\r\nPIPELINING\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\n.\r\n";
  return status + "body " + number + "\n.\r\n..\r\n\r.\r\r\n.\r\n";
}

class NaivePop3Backend {
 public:
  struct Manners {
    bool pipelining = true;
    bool sasl = true;     // PLAIN and tokens
    bool accepts = true;  // the login
  };
  explicit NaivePop3Backend(Manners manners) : manners_(manners) {}

  void Connected() {
    through_ = false;
    awaiting_message_ = awaiting_answer_ = false;
    credentials_ = 0;
  }
  // bytes: whole lines from Postern. Returns the replies.
  std::string Answer(std::string_view bytes) {
    const NaiveLines lines = NaiveCommandLines(bytes, 64 * 1024);
    POSTERN_CHECK(!lines.refused && lines.size == bytes.size());
    std::string replies;
    for (const std::string_view line : lines.lines)
      replies += through_ ? Relayed(line) : LoginReply(line);
    return replies;
  }
  // All that came after the login.
  const std::string& relayed() const { return relayed_; }

 private:
  std::string Relayed(std::string_view line) {
    const NaiveVerdict verdict = JudgeNaively(line);
    POSTERN_CHECK(verdict.relayed);
    POSTERN_CHECK(!quit_);
    quit_ = verdict.quit;
    relayed_.append(line).append("\r\n");
    return NaiveReply(verdict, count_++);
  }
  std::string LoginReply(std::string_view line) {
    if (std::exchange(awaiting_answer_, false)) {
      POSTERN_CHECK(line.size() <= kMaxChallengeAnswer);
      return kNo;
    }
    if (std::exchange(awaiting_message_, false)) return Decide();
    if (line == "CAPA") return Capabilities();
    if (line == "UTF8" || line.substr(0, 5) == "USER ") return "+OK\r\n";
    token_ = line.substr(0, 11) != "AUTH PLAIN " && line != "AUTH PLAIN";
    if (line == "AUTH PLAIN" || line == "AUTH XOAUTH2" || line == "AUTH OAUTHBEARER") {
      awaiting_message_ = true;
      return "+ \r\n";
    }
    const bool password = line.substr(0, 5) == "PASS ";
    POSTERN_CHECK(password || line.substr(0, 11) == "AUTH PLAIN " ||
                  line.substr(0, 13) == "AUTH XOAUTH2 " ||
                  line.substr(0, 17) == "AUTH OAUTHBEARER ");
    POSTERN_CHECK(password || line.size() + 2 <= kMaxPop3Line);
    token_ = token_ && !password;
    return Decide();
  }
  std::string Capabilities() const {
    std::string list = "+OK\r\nTOP\r\n";
    if (manners_.pipelining) list += "PIPELINING\r\n";
    if (manners_.sasl) list += "UTF8\r\nSASL PLAIN XOAUTH2 OAUTHBEARER\r\n";
    return list + ".\r\n";
  }
  std::string Decide() {
    POSTERN_CHECK(++credentials_ == 1);  // one login a connection
    through_ = manners_.accepts;
    if (through_) return "+OK in\r\n";
    awaiting_answer_ = token_;
    return token_ ? "+ e30=\r\n" : kNo;
  }
  static constexpr const char* kNo = "-ERR [AUTH] no\r\n";

  const Manners manners_;
  bool through_ = false;
  bool awaiting_message_ = false;
  bool awaiting_answer_ = false;
  bool token_ = false;  // what was sent is one
  bool quit_ = false;
  int credentials_ = 0;
  std::size_t count_ = 0;
  std::string relayed_;
};

// A whole visit: a client's bytes, cut, at an engine with a naive backend behind it.
struct NaiveVisit {
  explicit NaiveVisit(NaivePop3Backend::Manners manners) : backend(manners) {
    session.Start();
    to_client = session.host.TakeClient();
  }
  void Client(std::string_view bytes) {
    session.Client(bytes);
    Settle();
  }
  // Lets the backend answer until nothing moves.
  void Settle() {
    while (true) {
      to_client += session.host.TakeClient();
      const std::string bytes = session.host.TakeBackend();
      to_backend += bytes;
      if (session.host.end) return;
      if (connects < session.host.connects.size()) {
        ++connects;
        backend.Connected();
        session.BackendConnected();
        session.Backend("+OK hello\r\n");
      } else if (!bytes.empty()) {
        session.Backend(backend.Answer(bytes));
      } else if (pauses < session.host.pauses.size()) {
        ++pauses;
        session.PauseOver();
      } else {
        return;
      }
    }
  }
  void LogIn() {
    Client("USER bob\r\nPASS secret\r\n");
    POSTERN_CHECK(session.host.logged_in);
    to_client.clear();
    to_backend.clear();
  }

  FakeSession<Pop3Engine> session;
  NaivePop3Backend backend;
  std::size_t connects = 0;
  std::size_t pauses = 0;  // of delayed commands, that are over
  // Verbs, in upper case, that rules deny.
  std::set<std::string> denied;
  std::string to_client, to_backend;
};

// Takes one line of ours, "-ERR ...", off the front.
inline void TakeOwnRefusal(std::string_view& seen) {
  POSTERN_CHECK(seen.substr(0, 5) == "-ERR ");
  const std::size_t end = seen.find("\r\n");
  POSTERN_CHECK(end != seen.npos);
  seen.remove_prefix(end + 2);
}

// Whether the visit, logged in before the client sent these bytes, went as the model says.
inline void CheckRelay(const NaiveVisit& visit, std::string_view client_bytes) {
  const NaiveLines lines = NaiveCommandLines(client_bytes, kMaxPop3Line);
  std::string_view seen = visit.to_client;
  std::string forwarded;
  std::size_t relayed = 0;
  bool quit = false;
  for (const std::string_view line : lines.lines) {
    NaiveVerdict verdict = JudgeNaively(line);
    if (visit.denied.count(verdict.verb) != 0) verdict = {};
    if (verdict.relayed) {
      const std::string reply = NaiveReply(verdict, relayed++);
      POSTERN_CHECK(seen.substr(0, reply.size()) == reply);
      seen.remove_prefix(reply.size());
      forwarded += verdict.bytes;
    } else {
      TakeOwnRefusal(seen);
    }
    quit = verdict.quit;
    if (quit) break;
  }
  const FakeHost& host = visit.session.host;
  if (quit) {
    POSTERN_CHECK(host.Ended(CloseReason::kLogout));
  } else if (lines.refused) {
    TakeOwnRefusal(seen);
    POSTERN_CHECK(host.Ended(CloseReason::kClientProtocol));
  } else {
    POSTERN_CHECK(!host.end && visit.session.engine.quiet());
    POSTERN_CHECK(visit.session.client_pending.size() == client_bytes.size() - lines.size);
  }
  POSTERN_CHECK(seen.empty());
  POSTERN_CHECK(visit.to_backend == forwarded);
  POSTERN_CHECK(visit.backend.relayed() == forwarded);
}

}  // namespace postern::testing
