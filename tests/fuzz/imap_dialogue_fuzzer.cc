// F-03: an IMAP conversation in any order of arrivals, stalls, ends and timeouts. Input: one byte
// of switches, one byte of manners, then steps: what happens in the low half of a byte, how in the
// high half.
//
// A violation aborts. R-INV-2: what a backend gets behind its login are commands of the client, in
// order, each once, byte for byte but for the named rewrites. R-INV-3: a tag is answered once, and
// a relayed command exactly as the backend answered it. R-INV-4: a cut response ends in an abort;
// an orderly end is a boundary. R-INV-5: no command behind the login is ours. Behind doubt nothing
// more is forwarded. When all has arrived and nobody has ended, every tag is answered. How arrivals
// are cut changes nothing but the order of our answers among the backend's. With raw bytes in the
// conversation only what they cannot excuse is held: boundaries and the laws of the metrics.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "postern/base/check.h"
#include "support/imap_dialogue.h"
#include "support/naive_framer.h"
#include "support/transcript.h"

namespace postern::testing {
namespace {

struct Spoken {
  std::string_view bytes, forwarded;
};
constexpr std::array<Spoken, 16> kBeforeAndAfter = {{
    {" LOGIN bob secret\r\n", ""},
    {" LOGIN {3+}\r\nbob {6+}\r\nsecret\r\n", ""},
    {" AUTHENTICATE PLAIN AGJvYgBzZWNyZXQ=\r\n", ""},
    {" AUTHENTICATE XOAUTH2 dXNlcj1ib2IBYXV0aD1CZWFyZXIgVAEB\r\n", ""},
    {" CAPABILITY\r\n", " CAPABILITY\r\n"},
    {" STARTTLS\r\n", ""},
    {" ID (\"name\" \"x\")\r\n", " ID (\"name\" \"x\")\r\n"},
    {" LOGOUT\r\n", " LOGOUT\r\n"},
    {" NOOP\r\n", " NOOP\r\n"},
    {" uid fetch 1:* (FLAGS)\r\n", " uid fetch 1:* (FLAGS)\r\n"},
    {" SELECT \"a \\\"b\\\\\"\r\n", " SELECT \"a \\\"b\\\\\"\r\n"},
    {" CREATE {5+}\r\nhello\r\n", " CREATE {5}\r\nhello\r\n"},
    {" APPEND x {12+}\r\nt0 LOGOUT\r\n\r\n\r\n", " APPEND x {12}\r\nt0 LOGOUT\r\n\r\n\r\n"},
    {" APPEND {1}\r\nx (\\Seen) {3}\r\na\rb\r\n", " APPEND {1}\r\nx (\\Seen) {3}\r\na\rb\r\n"},
    {" IDLE\r\nDONE\r\n", " IDLE\r\n"},
    {" FROBNICATE\r\n", ""},
}};
constexpr std::array<std::string_view, 4> kDoubt = {
    " NOOP {3+}\r\nabc\r\n", " NOOP\n", " CREATE {05+}\r\nhello\r\n", " SELECT x{3+}\r\nabc\r\n"};
constexpr std::array<std::string_view, 4> kUnasked = {
    "* 3 EXISTS\r\n", "* OK [ALERT] {5}\r\n",
    "* 2 FETCH (BODY[] {8}\r\nt1 OK\r\n\n X {2}\r\nhi)\r\n", "* CAPABILITY IMAP4rev1 STARTTLS\r\n"};

struct Input {
  std::uint8_t switches, manners;
  std::string_view steps;
  // Rules refuse, delay and rewrite: what raw bytes excuse, they excuse too.
  bool ruled() const { return (manners & 16) != 0; }
  bool wild() const { return (switches & 1) != 0 || ruled(); }
};

constexpr std::string_view kAllCapabilities = "IMAP4rev1 ID IDLE UIDPLUS ENABLE SASL-IR";

Condition Is(Fact fact, std::string_view text) {
  Condition condition;
  condition.fact = fact;
  condition.any_of.push_back(ParseFactValue(fact, text).value());
  return condition;
}

Rule About(Action action, std::string_view command) {
  Rule rule;
  rule.name = std::string(ActionName(action)) + " " + std::string(command);
  rule.action = action;
  rule.delay = std::chrono::seconds(1);
  if (!command.empty()) rule.conditions.push_back(Is(Fact::kCommand, command));
  return rule;
}

// A few of every kind; which of them, three bits say.
std::vector<Rule> SomeRules(unsigned which) {
  std::vector<Rule> rules;
  if ((which & 1) != 0) {
    rules.push_back(About(Action::kDeny, "SELECT"));
    rules.push_back(About(Action::kDeny, "APPEND"));
    rules.push_back(About(Action::kDelay, "FETCH"));
  }
  if ((which & 2) != 0) {
    rules.push_back(About(Action::kReadOnly, ""));
    rules.push_back(About(Action::kDisconnect, "LOGOUT"));
  }
  if ((which & 4) != 0) {
    rules.push_back(About(Action::kHide, ""));
    rules.back().mailboxes.push_back(ParseFactValue(Fact::kMailbox, "hello|x").value());
    rules.push_back(About(Action::kDelay, "CREATE"));
    rules.push_back(About(Action::kDelay, "APPEND"));
  }
  return rules;
}

void SetUp(const Input& input, FakeHost& host) {
  constexpr std::array kListeners = {ListenerTls::kImplicit, ListenerTls::kStarttls,
                                     ListenerTls::kRefuse, ListenerTls::kNone};
  ListenerPlan& listener = host.settings.listeners.at(0);
  listener.tls = kListeners[input.switches >> 1 & 3];
  host.facts.secure = listener.tls == ListenerTls::kImplicit;
  host.facts.trusted = (input.switches & 8) != 0;
  PoolPlan& pool = host.settings.pools.at(0);
  if ((input.switches & 16) != 0) pool.tls = PoolTls::kStarttls;
  pool.forward_id = (input.switches & 32) != 0;
  if ((input.switches & 64) != 0) host.settings.limits.append = 10;
  if (input.ruled()) host.UseRules(SomeRules(input.manners >> 5));
}

std::string Capabilities(const Input& input) {
  std::string names(kAllCapabilities);
  if ((input.manners & 1) != 0) names += " AUTH=PLAIN AUTH=XOAUTH2";
  if ((input.manners & 2) != 0) names += " LOGINDISABLED";
  if ((input.manners & 4) == 0) names += " STARTTLS";
  if ((input.manners & 8) != 0) names += " LITERAL+";
  return names;
}

void EndOrWait(ImapDialogue& dialogue, unsigned how) {
  const bool logged_in = dialogue.host().logged_in;
  switch (how % 8) {
    case 0:
      return dialogue.EndClient();
    case 1:
      return dialogue.EndBackend();
    case 2:
      if (dialogue.connecting()) dialogue.Timeout(Engine::Timeout::kConnect);
      return;
    case 3:
      if (!logged_in) dialogue.Timeout(Engine::Timeout::kLogin);
      return;
    case 4:
      if (logged_in && dialogue.session().engine.quiet()) {
        dialogue.Timeout(Engine::Timeout::kIdle);
      }
      return;
    case 5:
      return dialogue.Happen([](auto& session) { session.Drain(); });
    case 6:
      dialogue.Happen([](auto& session) { session.Drain(CloseReason::kKicked); });
      return dialogue.Happen(&FakeSession<ImapEngine>::DrainDeadline);
    default:
      return dialogue.session().Stall(std::chrono::seconds(2));
  }
}

void Raw(ImapDialogue& dialogue, bool client, unsigned how, std::string_view& steps) {
  const std::string_view bytes = steps.substr(0, how + 1);
  steps.remove_prefix(bytes.size());
  client ? dialogue.SayRaw(bytes) : dialogue.TellRaw(bytes);
}

void EndPauses(ImapDialogue& dialogue) {
  std::vector<Duration>& pauses = dialogue.host().pauses;
  if (pauses.empty()) return;
  pauses.pop_back();
  dialogue.Happen([](auto& session) { session.PauseOver(); });
}

void Step(const Input& input, ImapDialogue& dialogue, std::string_view& steps) {
  const auto step = static_cast<unsigned char>(steps.front());
  const unsigned how = step >> 4;
  steps.remove_prefix(1);
  dialogue.session().Advance(std::chrono::milliseconds(100));
  switch (step & 15) {
    case 0:
    case 1:
      dialogue.Say(kBeforeAndAfter[how].bytes, kBeforeAndAfter[how].forwarded);
      if ((step & 1) != 0) dialogue.ArriveClient(std::string::npos);
      return;
    case 2:
      return dialogue.ArriveClient(how == 15 ? std::string::npos : 1 + 3 * how);
    case 3:
    case 4:
      dialogue.AnswerNext(static_cast<ImapDialogue::Answer>(how % 5));
      if ((step & 1) != 0) dialogue.ArriveBackend(std::string::npos);
      return;
    case 5:
      return dialogue.ArriveBackend(how == 15 ? std::string::npos : 1 + 3 * how);
    case 6:
      if (how > 11) return EndPauses(dialogue);
      return dialogue.SetRooms((how & 1) == 0, (how & 2) == 0);
    case 7:
      return dialogue.Connect(how != 15);
    case 8:
      return dialogue.Secure();
    case 9:
      return EndOrWait(dialogue, how);
    case 10:
      return dialogue.Say(kDoubt[how % kDoubt.size()], "");
    case 11:
      return dialogue.TellRaw(kUnasked[how % kUnasked.size()]);
    case 12:
      return input.wild() ? Raw(dialogue, true, how, steps) : void();
    case 13:
      return input.wild() ? Raw(dialogue, false, how, steps) : void();
    default:
      dialogue.Connect(true);
      dialogue.AnswerNext(ImapDialogue::Answer::kOk);
      dialogue.ArriveBackend(std::string::npos);
      return dialogue.Secure();
  }
}

// Everything arrives and is answered.
void Settle(ImapDialogue& dialogue) {
  dialogue.SetRooms(true, true);
  bool more = true;
  for (int turns = 0; more && !dialogue.ended(); ++turns) {
    POSTERN_CHECK(turns < 10000);
    const std::size_t before = dialogue.to_client().size() + dialogue.to_backend().size() +
                               dialogue.session().client_consumed +
                               dialogue.session().backend_consumed;
    dialogue.Connect(true);
    dialogue.Secure();
    EndPauses(dialogue);
    dialogue.ArriveClient(std::string::npos);
    more = dialogue.AnswerNext(ImapDialogue::Answer::kOk);
    dialogue.ArriveBackend(std::string::npos);
    more |= before != dialogue.to_client().size() + dialogue.to_backend().size() +
                          dialogue.session().client_consumed + dialogue.session().backend_consumed;
  }
}

std::unique_ptr<ImapDialogue> Play(const Input& input, bool byte_by_byte) {
  auto dialogue = std::make_unique<ImapDialogue>(byte_by_byte, Capabilities(input));
  SetUp(input, dialogue->host());
  dialogue->session().Start();
  std::string_view steps = input.steps;
  while (!steps.empty() && !dialogue->ended()) Step(input, *dialogue, steps);
  Settle(*dialogue);
  return dialogue;
}

// R-INV-2 and 5. A relayed IDLE's DONE is the client's as well; a refused literal cuts a command
// behind its mark.
void CheckRelayed(const ImapDialogue& dialogue) {
  std::size_t next = 0;
  bool idle = false;
  for (const SeenCommand& command : dialogue.relayed()) {
    if (std::exchange(idle, false)) {
      POSTERN_CHECK(command.text == "DONE\r\n");
      continue;
    }
    while (next < dialogue.said().size() && dialogue.said()[next].tag != command.Tag()) ++next;
    POSTERN_CHECK(next < dialogue.said().size());
    const std::string& forwarded = dialogue.said()[next++].forwarded;
    const bool refused = command.text.ends_with("}\r\n") && forwarded.starts_with(command.text);
    POSTERN_CHECK(!forwarded.empty() && (refused || command.text == forwarded));
    idle = command.Verb() == "IDLE";
  }
}

struct Answers {
  std::map<std::string, std::string> by_tag;
  bool at_boundary = true;
};

Answers ReadAnswers(const std::string& to_client, bool once) {
  Answers answers;
  std::size_t begin = 0;
  for (const std::size_t end : NaiveResponses(to_client)) {
    if (end == kNaiveMalformed) return answers;
    const std::string response = to_client.substr(begin, end - begin);
    begin = end;
    if (response[0] == '*' || response[0] == '+') continue;
    const std::size_t space = response.find(' ');
    const std::size_t behind = std::min(response.find(' ', space + 1), response.size() - 2);
    const bool first =
        answers.by_tag
            .emplace(response.substr(0, space), response.substr(space + 1, behind - space - 1))
            .second;
    if (once && response[0] == 't') POSTERN_CHECK(first);
  }
  answers.at_boundary = begin == to_client.size();
  return answers;
}

void CheckAnswers(const ImapDialogue& dialogue, const Answers& answers, bool ended) {
  for (const SeenCommand& command : dialogue.relayed()) {
    const auto seen = answers.by_tag.find(command.Tag());
    if (seen == answers.by_tag.end()) continue;
    const auto said = dialogue.answered().find(command.Tag());
    // Of a command that the backend has not answered, ours can only be a complaint.
    if (said == dialogue.answered().end()) {
      POSTERN_CHECK(seen->second != "OK" || command.text == "DONE\r\n");
    } else {
      POSTERN_CHECK(seen->second == said->second || (ended && seen->second != "OK"));
    }
  }
  if (ended) return;
  for (const ImapDialogue::Said& said : dialogue.said()) {
    POSTERN_CHECK(answers.by_tag.count(said.tag) == 1);
  }
}

void CheckAlike(ImapDialogue& a, ImapDialogue& b) {
  POSTERN_CHECK(a.to_backend() == b.to_backend());
  POSTERN_CHECK(a.host().end.has_value() == b.host().end.has_value());
  if (a.host().end) {
    POSTERN_CHECK(a.host().end->reason == b.host().end->reason);
    POSTERN_CHECK(a.host().end->ending == b.host().end->ending);
  }
  // Of a response that is cut, more or less was passed on.
  if (a.host().end && a.host().end->ending == EngineHost::Ending::kAbort) return;
  // The order of our own answers among the backend's depends on how fast that is; what is said does
  // not.
  std::string left = a.to_client(), right = b.to_client();
  std::sort(left.begin(), left.end());
  std::sort(right.begin(), right.end());
  POSTERN_CHECK(left == right);
}

void CheckOne(const Input& input, ImapDialogue& dialogue) {
  const auto& end = dialogue.host().end;
  const Answers answers = ReadAnswers(dialogue.to_client(), !input.wild());
  if (end && end->ending == EngineHost::Ending::kOrderly) POSTERN_CHECK(answers.at_boundary);
  if (!input.wild()) {
    CheckRelayed(dialogue);
    CheckAnswers(dialogue, answers, dialogue.ended() || dialogue.challenged());
  }
  dialogue.Happen(&FakeSession<ImapEngine>::Abandoned);
  POSTERN_CHECK(BrokenLaw(dialogue.session().shard, Protocol::kImap,
                          dialogue.session().client_consumed, dialogue.to_backend().size())
                    .empty());
}

void Check(const Input& input) {
  const auto whole = Play(input, false);
  const auto cut = Play(input, true);
  const bool broke_tls = whole->broke_tls() || cut->broke_tls();
  if (!input.wild() && !broke_tls) CheckAlike(*whole, *cut);
  CheckOne(input, *whole);
  CheckOne(input, *cut);
}

}  // namespace
}  // namespace postern::testing

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2 || size > 512) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  postern::testing::Check({data[0], data[1], bytes.substr(2)});
  return 0;
}
