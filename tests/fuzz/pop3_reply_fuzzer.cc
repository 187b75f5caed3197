// F-05: a POP3 backend's bytes, in answer to commands in flight or to a login under way.
// Input: one byte of switches, one byte that seeds the cuts, one byte that says how many commands
// are in flight (0: a login is under way), a byte for each of them, the backend's bytes.
//
// A violation aborts: I1 the client sees the backend's bytes unchanged, as far as the naive framer
// follows them; I2 cuts change nothing; I4 nothing of a body waits, and no more than a line of
// anything else; I6 after nonsense nothing is passed on. A body ends at CRLF.CRLF and nowhere else,
// and a backend lost inside one is a visible cut.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "support/naive_pop3_backend.h"

namespace postern::testing {
namespace {

struct Input {
  std::uint8_t switches;
  std::uint8_t seed;
  std::vector<std::uint8_t> commands;
  std::string_view bytes;
};

struct Known {
  std::string_view line;
  bool body;
};
constexpr Known kCommands[] = {{"STAT\r\n", false},   {"LIST\r\n", true},    {"LIST 1\r\n", false},
                               {"RETR 1\r\n", true},  {"DELE 1\r\n", false}, {"UIDL\r\n", true},
                               {"TOP 1 2\r\n", true}, {"NOOP\r\n", false}};
constexpr std::size_t kKnown = std::size(kCommands);

const Known& CommandOf(std::uint8_t byte) { return kCommands[byte % kKnown]; }

// What the naive framer makes of the replies.
struct Expected {
  std::string passed;     // to the client, verbatim
  bool nonsense = false;  // and then our own words, and the end
  bool farewell = false;  // a -ERR that nobody asked for
  bool inside = false;    // a body has begun and not ended
  std::size_t answered = 0;
};

// Takes one status line: false when there is none yet or it is nonsense.
bool TakeStatus(std::string_view& rest, Expected& expected, bool& positive) {
  const NaiveLines lines = NaiveCommandLines(rest, kMaxCapabilityLine, false);
  if (lines.lines.empty()) {
    expected.nonsense = lines.refused;
    return false;
  }
  const std::string_view line = lines.lines[0];
  positive = ToUpper(line.substr(0, 3)) == "+OK";
  if (!positive && ToUpper(line.substr(0, 4)) != "-ERR") {
    expected.nonsense = true;
    return false;
  }
  expected.passed.append(line).append("\r\n");
  rest.remove_prefix(line.size() + 2);
  return true;
}

Expected Expect(const Input& input) {
  Expected expected;
  std::string_view rest = input.bytes;
  for (const std::uint8_t command : input.commands) {
    bool positive = false;
    if (!TakeStatus(rest, expected, positive)) return expected;
    if (positive && CommandOf(command).body) {
      const std::size_t size = NaiveBodySize(rest);
      expected.inside = size == std::string_view::npos;
      expected.passed.append(rest.substr(0, size));
      if (expected.inside) return expected;
      rest.remove_prefix(size);
    }
    ++expected.answered;
  }
  // Unasked, only a -ERR makes sense: the server says why it closes.
  expected.farewell = StartsWithNoCase(rest, "-ERR");
  expected.nonsense = !rest.empty() && !StartsWithNoCase("-ERR", rest) && !expected.farewell;
  return expected;
}

using Session = FakeSession<Pop3Engine>;

// Logins under way: also with a token, and at a pool that wants TLS, which never comes about.
bool HasToken(const Input& input) { return input.commands.empty() && (input.switches & 2) != 0; }
bool NeedsTls(const Input& input) { return input.commands.empty() && (input.switches & 4) != 0; }

constexpr std::string_view kPlain = "AGJvYgBzZWNyZXQ=";
constexpr std::string_view kToken = "dXNlcj1ib2IBYXV0aD1CZWFyZXIgdG9rAQE=";

std::string LoginOf(const Input& input) {
  if (HasToken(input)) return "AUTH XOAUTH2 " + std::string(kToken) + "\r\n";
  if ((input.switches & 1) != 0) return "AUTH PLAIN " + std::string(kPlain) + "\r\n";
  return "USER bob\r\nPASS secret\r\n";
}

// A session whose backend is about to speak.
std::unique_ptr<Session> Prepare(const Input& input) {
  auto session = std::make_unique<Session>();
  session->Start();
  if (NeedsTls(input)) session->host.settings.pools[0].tls = PoolTls::kStarttls;
  session->Client(LoginOf(input));
  session->BackendConnected();
  if (!input.commands.empty()) {
    session->Backend("+OK\r\n+OK\r\nPIPELINING\r\nSASL PLAIN\r\n.\r\n+OK\r\n");
    if (!session->host.logged_in) session->Backend("+OK\r\n");
    POSTERN_CHECK(session->host.logged_in);
    std::string commands;
    for (const std::uint8_t command : input.commands) commands += CommandOf(command).line;
    session->host.TakeBackend();
    session->Client(commands);
    POSTERN_CHECK(session->host.TakeBackend() == commands);
  }
  session->host.TakeClient();
  return session;
}

void CheckBounded(const Session& session) {
  if (session.host.end) return;
  POSTERN_CHECK(session.backend_pending.size() < kMaxCapabilityLine);
}

std::unique_ptr<Session> Play(const Input& input, const std::vector<std::size_t>& cuts) {
  std::unique_ptr<Session> session = Prepare(input);
  const Split split(input.bytes, cuts);
  for (std::size_t i = 0; i < split.size(); ++i) {
    session->Backend(split[i]);
    CheckBounded(*session);
  }
  // To a challenge, if there was one.
  if (HasToken(input)) session->Client("AQ==\r\n");
  return session;
}

void CheckAlike(const Session& a, const Session& b) {
  POSTERN_CHECK(a.host.client == b.host.client);
  POSTERN_CHECK(a.host.backend == b.host.backend);
  POSTERN_CHECK(a.host.rejections == b.host.rejections);
  POSTERN_CHECK(a.host.drops == b.host.drops);
  POSTERN_CHECK(a.host.logged_in == b.host.logged_in);
  POSTERN_CHECK(a.host.end.has_value() == b.host.end.has_value());
  if (a.host.end) POSTERN_CHECK(b.host.Ended(a.host.end->reason, a.host.end->ending));
}

void CheckReplies(const Input& input, Session& session) {
  const Expected expected = Expect(input);
  const FakeHost& host = session.host;
  const std::string words =
      host.client.substr(std::min(expected.passed.size(), host.client.size()));
  POSTERN_CHECK(host.client.substr(0, expected.passed.size()) == expected.passed);
  POSTERN_CHECK(host.backend.empty());
  if (expected.nonsense || expected.farewell) {
    POSTERN_CHECK(host.Ended(expected.farewell ? CloseReason::kBackendClosed
                                               : CloseReason::kBackendProtocol));
    POSTERN_CHECK(words.substr(0, 16) == "-ERR [SYS/TEMP] ");
    return;
  }
  POSTERN_CHECK(words.empty() && !host.end);
  POSTERN_CHECK(!expected.inside || session.backend_pending.empty());
  POSTERN_CHECK(session.engine.quiet() == (expected.answered == input.commands.size()));
  session.BackendEnd();
  using Ending = EngineHost::Ending;
  POSTERN_CHECK(
      host.Ended(CloseReason::kBackendClosed, expected.inside ? Ending::kAbort : Ending::kOrderly));
  POSTERN_CHECK(!expected.inside || host.client == expected.passed);
}

// Whatever a backend says during a login: the password goes to it once at most, to no other after
// that, and never without the TLS that its pool wants.
void CheckLogin(const Input& input, const FakeHost& host) {
  const auto count = [&host](std::string_view word) {
    std::size_t found = 0;
    for (std::size_t at = host.backend.find(word); at != std::string::npos;
         at = host.backend.find(word, at + 1)) {
      ++found;
    }
    return found;
  };
  const std::size_t sent = count("PASS ") + count(kPlain) + count(kToken);
  POSTERN_CHECK(sent <= 1);
  POSTERN_CHECK(!host.logged_in || sent == 1);
  POSTERN_CHECK(sent == 0 || host.rejections.empty());
  POSTERN_CHECK(sent == 0 || !NeedsTls(input));
  const std::size_t challenge = HasToken(input) ? kMaxCapabilityLine : 0;
  POSTERN_CHECK(host.client.size() <= kMaxRelayedText + challenge + 100);
}

void Test(const Input& input) {
  const std::unique_ptr<Session> whole = Play(input, {});
  CheckAlike(*whole, *Play(input, EveryByte(input.bytes.size())));
  SplitRandom random(input.seed);
  std::vector<std::size_t> cuts;
  for (std::size_t at = 1 + random.Next(20); at < input.bytes.size(); at += 1 + random.Next(20))
    cuts.push_back(at);
  CheckAlike(*whole, *Play(input, cuts));
  if (input.commands.empty()) {
    CheckLogin(input, whole->host);
  } else {
    CheckReplies(input, *whole);
  }
}

}  // namespace
}  // namespace postern::testing

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 3) return 0;
  const std::size_t count = std::min<std::size_t>(data[2] % 8, size - 3);
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  postern::testing::Test({data[0], data[1], {data + 3, data + 3 + count}, bytes.substr(3 + count)});
  return 0;
}
