// Transcript: a conversation in a text file, played against an engine. Knows no test framework:
// what is wrong comes back as text. The format, one for both protocols:
//
//   # a comment
//   C: a line of the client        P: a line that Postern sends to the backend
//   S: a line the client gets      B: a line of the backend
//   ! what happens                 start, connected, failed, backend end, client end, drain,
//                                  drain deadline, abandoned, timeout connect|login|idle,
//                                  client full|room, backend full|room, append N, attempts N,
//                                  login CAPABILITIES (the whole of an IMAP login),
//                                  secured, backend secured (the TLS that was asked for is there)
//   ! how things stand             listener implicit|starttls|refuse|none, mechanisms NAMES,
//   trusted,
//                                  pool none|starttls|implicit, forward id|xclient,
//                                  rule WORDS (one more, see rule_words.h; from now on), no rules,
//                                  common CAPABILITIES (of all backends), user NAME (to the rules),
//                                  admit|id TROUBLE TEXT (the host refuses what it is asked next)
//   ! the host refuses             deny|refuse TROUBLE TEXT: the client, its login; with "last" or
//                                  "wrong" before the TROUBLE. TROUBLE: rule limit unavailable
//                                  credentials tls
//   ! more that happens            pause over, kick
//   ! what the engine decides      connect NAME, reject, drop, drop failed, logged in, login failed
//                                  RESULT, starttls client|backend, speaks for ADDRESS PORT,
//                                  finish REASON orderly|abort, pause SECONDS,
//                                  hit NAME (a rule's; "report NAME" of one that only reports)
//
// A line ends in CRLF unless it ends in "\c". \r \n \0 \s (space) \\ and \xHH are bytes; "x\*300"
// is 300 times x. Neighbouring lines of one side arrive together. All that the engine writes and
// decides is expected before the next arrival or happening, each side's bytes in their order, and
// nothing else.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "support/fake_host.h"
#include "support/for_every_split.h"

namespace postern::testing {

struct TranscriptStep {
  char kind = 0;         // 'C', 'S', 'P', 'B', '!'
  std::string text;      // bytes; for '!' the words
  std::size_t line = 0;  // where it begins in the file
};

std::vector<TranscriptStep> LoadTranscript(const std::string& path);
// Bytes as they may stand in a transcript.
std::string Escaped(std::string_view bytes);
// The laws of DESIGN 1.4 on a shard whose sessions have all ended; "" when they hold. consumed and
// sent: bytes the engine took from clients and gave to backends.
std::string BrokenLaw(const Shard& shard, Protocol protocol, std::size_t consumed,
                      std::size_t sent);

// How things stand: the listener, its mechanisms, the pool. False for any other word.
bool SetUp(const std::string& what, const std::string& value, FakeHost& host);

// A refusal in words, "[last] [wrong] TROUBLE TEXT". Views of words.
Refusal RefusalInWords(std::string_view words);

// How the end of a backend leg is told: with a failure, the backend rests.
inline std::string DropText(const std::optional<BackendFailure>& failure) {
  return failure ? "drop failed" : "drop";
}

// Where to cut a step's bytes; by the index of the step.
using TranscriptCuts = std::function<std::vector<std::size_t>(std::size_t step)>;

// Plays a transcript once.
template <typename E>
class TranscriptPlayer {
 public:
  // "" when all was as expected.
  std::string Play(const std::vector<TranscriptStep>& steps, Protocol protocol,
                   const TranscriptCuts& cuts) {
    strict_ = protocol == Protocol::kImap;
    session_.host.rule_facts.protocol = protocol;
    for (std::size_t i = 0; i < steps.size() && wrong_.empty(); ++i) {
      line_ = steps[i].line;
      PlayStep(steps[i], cuts(i));
    }
    if (wrong_.empty()) ExpectSilence();
    if (wrong_.empty() && !session_.host.end) session_.Abandoned();
    if (wrong_.empty()) {
      Expect("the laws", "", BrokenLaw(session_.shard, protocol, session_.client_consumed, sent_));
    }
    return wrong_;
  }

 private:
  using Session = FakeSession<E>;

  void PlayStep(const TranscriptStep& step, const std::vector<std::size_t>& cuts) {
    if (step.kind == 'S') return Take("the client gets", session_.host.client, step.text);
    if (step.kind == 'P') {
      sent_ += step.text.size();
      return Take("the backend gets", session_.host.backend, step.text);
    }
    if (step.kind == '!') return PlayWords(step.text);
    ExpectSilence();
    const Split split(step.text, cuts);
    for (std::size_t i = 0; i < split.size(); ++i) {
      step.kind == 'C' ? session_.Client(split[i]) : session_.Backend(split[i]);
    }
  }

  void PlayWords(const std::string& words) {
    static const std::map<std::string, void (*)(Session&)> kHappenings = {
        {"start", [](Session& s) { s.Start(); }},
        {"connected", [](Session& s) { s.BackendConnected(); }},
        {"failed", [](Session& s) { s.BackendFailed(); }},
        {"secured", [](Session& s) { s.Secured(Side::kClient); }},
        {"backend secured", [](Session& s) { s.Secured(Side::kBackend); }},
        {"trusted", [](Session& s) { s.host.facts.trusted = true; }},
        {"backend end", [](Session& s) { s.BackendEnd(); }},
        {"client end", [](Session& s) { s.ClientEnd(); }},
        {"drain", [](Session& s) { s.Drain(); }},
        {"kick", [](Session& s) { s.Drain(CloseReason::kKicked); }},
        {"pause over", [](Session& s) { s.PauseOver(); }},
        {"drain deadline", [](Session& s) { s.DrainDeadline(); }},
        {"abandoned", [](Session& s) { s.Abandoned(); }},
        {"timeout connect", [](Session& s) { s.Timeout(Engine::Timeout::kConnect); }},
        {"timeout login", [](Session& s) { s.Timeout(Engine::Timeout::kLogin); }},
        {"timeout idle", [](Session& s) { s.Timeout(Engine::Timeout::kIdle); }},
        {"client full", [](Session& s) { s.host.client_room = false; }},
        {"client room", [](Session& s) { s.host.client_room = true, s.Drained(); }},
        {"backend full", [](Session& s) { s.host.backend_room = false; }},
        {"backend room", [](Session& s) { s.host.backend_room = true, s.Drained(); }},
    };
    const auto found = kHappenings.find(words);
    if (found == kHappenings.end()) return PlayWordsWithValue(words);
    ExpectSilence();
    found->second(session_);
  }

  void PlayWordsWithValue(const std::string& words) {
    const std::size_t space = words.find(' ');
    const std::string value = space == words.npos ? "" : words.substr(space + 1);
    const std::string first = words.substr(0, space);
    if (first == "append") {
      session_.host.settings.limits.append = std::stoul(value);
    } else if (first == "attempts") {
      session_.host.settings.limits.login_attempts = static_cast<std::uint32_t>(std::stoul(value));
    } else if (first == "deny" || first == "refuse") {
      ExpectSilence();
      const Refusal refusal = RefusalInWords(value);
      first == "deny" ? session_.Deny(refusal, CloseReason::kRule) : session_.LoginRefused(refusal);
    } else if (SetUp(first, value, session_.host)) {
      ExpectSilence();
    } else if (first == "login" && value.rfind("failed ", 0) != 0) {
      LogIn(value);
    } else {
      SkipUntil(words);
      const std::string next = seen_ < decided_.size() ? decided_[seen_++] : "nothing";
      Expect("decided", words, next);
    }
  }

  void LogIn(const std::string& capabilities) {
    session_.Start();
    session_.Client("l LOGIN bob secret\r\n");
    session_.BackendConnected();
    session_.Backend("* OK hello\r\n");
    session_.Backend("postern1 OK [CAPABILITY " + capabilities + "] in\r\n");
    session_.host.TakeClient();
    sent_ += session_.host.TakeBackend().size();
    NoteDecisions();
    seen_ = decided_.size();
  }

  // In the order in which a login goes; there is one list of each kind in the host.
  void NoteDecisions() {
    const FakeHost& host = session_.host;
    const auto note = [this](std::size_t count, std::size_t& before, const auto& text) {
      for (; before < count; ++before) decided_.push_back(text(before));
    };
    note(host.connects.size(), connects_, [&](auto i) { return "connect " + host.connects[i]; });
    note(host.spoken_for.size(), spoken_for_,
         [&](auto i) { return "speaks for " + host.spoken_for[i]; });
    note(host.tls_started.size(), tls_started_, [&](auto i) {
      return std::string("starttls ") +
             (host.tls_started[i] == Side::kClient ? "client" : "backend");
    });
    note(host.rejections.size(), rejections_, [](auto) { return std::string("reject"); });
    note(host.failed_logins.size(), failed_,
         [&](auto i) { return "login failed " + host.failed_logins[i].result; });
    note(static_cast<std::size_t>(host.drops), drops_,
         [&](auto) { return DropText(host.drop_failure); });
    note(host.hits.size(), hits_, [&](auto i) { return "hit " + host.hits[i]; });
    note(host.pauses.size(), pauses_, [&](auto i) {
      return "pause " + std::to_string(host.pauses[i] / std::chrono::seconds(1));
    });
    note(host.logged_in ? 1 : 0, logged_in_, [](auto) { return std::string("logged in"); });
    note(host.end ? 1 : 0, ended_, [&](auto) {
      const bool orderly = host.end->ending == EngineHost::Ending::kOrderly;
      return "finish " + std::string(CloseReasonName(host.end->reason)) +
             (orderly ? " orderly" : " abort");
    });
  }
  // POP3's transcripts need not say how a login ended: its replies do.
  void SkipUntil(const std::string& words) {
    NoteDecisions();
    while (!strict_ && seen_ < decided_.size() && decided_[seen_] != words &&
           decided_[seen_].rfind("log", 0) == 0) {
      ++seen_;
    }
  }

  void ExpectSilence() {
    Expect("the client gets", "", session_.host.TakeClient());
    Expect("the backend gets", "", session_.host.TakeBackend());
    SkipUntil("");
    if (seen_ < decided_.size()) Expect("decided", "nothing", decided_[seen_]);
  }
  void Take(const char* what, std::string& written, const std::string& text) {
    Expect(what, text, written.substr(0, text.size()));
    written.erase(0, text.size());
  }
  void Expect(const char* what, const std::string& wanted, const std::string& got) {
    if (wanted == got || !wrong_.empty()) return;
    wrong_ = "line " + std::to_string(line_) + ": " + what + " \"" + Escaped(got) +
             "\", wanted \"" + Escaped(wanted) + "\"; to come: client \"" +
             Escaped(session_.host.client) + "\", backend \"" + Escaped(session_.host.backend) +
             "\"";
  }

  Session session_;
  bool strict_ = true;
  std::string wrong_;
  std::size_t line_ = 0, sent_ = 0, seen_ = 0;
  std::vector<std::string> decided_;
  std::size_t connects_ = 0, rejections_ = 0, failed_ = 0, drops_ = 0, logged_in_ = 0, ended_ = 0;
  std::size_t spoken_for_ = 0, tls_started_ = 0, hits_ = 0, pauses_ = 0;
};

// Plays it whole, with every byte alone, and with each single cut of each arrival (of long ones:
// some).
template <typename E>
std::string PlayUnderEverySplit(const std::vector<TranscriptStep>& steps, Protocol protocol) {
  const auto play = [&](const std::string& how, const TranscriptCuts& cuts) {
    const std::string wrong = TranscriptPlayer<E>().Play(steps, protocol, cuts);
    return wrong.empty() ? wrong : how + ", " + wrong;
  };
  std::string wrong = play("whole", [](auto) { return std::vector<std::size_t>{}; });
  if (!wrong.empty()) return wrong;
  wrong = play("byte by byte", [&](std::size_t i) { return EveryByte(steps[i].text.size()); });
  for (std::size_t i = 0; i < steps.size() && wrong.empty(); ++i) {
    if (steps[i].kind != 'C' && steps[i].kind != 'B') continue;
    const std::size_t size = steps[i].text.size();
    const std::size_t stride = 1 + size / 400;
    for (std::size_t cut = 1; cut < size && wrong.empty(); cut += stride) {
      wrong =
          play("step of line " + std::to_string(steps[i].line) + " cut at " + std::to_string(cut),
               [&](std::size_t step) {
                 return step == i ? std::vector<std::size_t>{cut} : std::vector<std::size_t>{};
               });
    }
  }
  return wrong;
}

}  // namespace postern::testing
