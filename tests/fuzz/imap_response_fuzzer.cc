// F-02: an IMAP backend's bytes, in answer to commands in flight or to a login under way. Input:
// one byte that chooses what is in flight, one byte that seeds the cuts, the backend's bytes.
//
// A violation aborts: I1 the client sees the backend's bytes unchanged but for capabilities,
// referrals and the `+` it does not wait for; I2 cuts change nothing; I3 a naive framer finds the
// same ends of responses; I4 nothing but a response's head waits; I6 after nonsense nothing is
// passed on. A response that is cut ends in an abort, and nothing of ours is written inside one.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "postern/base/check.h"
#include "postern/base/text.h"
#include "postern/engine/imap_engine.h"
#include "postern/engine/limits.h"
#include "postern/imap/framer.h"
#include "support/fake_host.h"
#include "support/for_every_split.h"
#include "support/naive_framer.h"
#include "support/transcript.h"

namespace postern::testing {
namespace {

using Visit = FakeSession<ImapEngine>;

// What the client said before the backend's bytes come: all of it is at the backend, or waits for
// it.
constexpr std::array<std::string_view, 8> kInFlight = {
    "a1 FETCH 1 BODY[]\r\na2 NOOP\r\na3 LOGOUT\r\n",
    "a1 NOOP\r\na2 APPEND x {5}\r\n",
    "a1 APPEND {1+}\r\nx {5}\r\n",
    "a1 IDLE\r\n",
    "a1 NOOP\r\na2 IDLE\r\n",
    "a1 SEARCH (SUBJECT {1+}\r\nx) FROM {1+}\r\ny\r\n",
    "a1 NOOP\r\na2 NOOP\r\na3 CAPABILITY\r\n",
    ""};
// What it said behind that: how much of it is at the backend when that speaks depends on the cuts.
constexpr std::array<std::string_view, 2> kBehind = {
    "DONE\r\na4 NOOP\r\n", "a4 APPEND x {5+}\r\nhello {3+}\r\nabc\r\na5 NOOP\r\n"};
constexpr std::uint8_t kLoginUnderWay = 8, kPlain = 16, kMoreBehind = 32, kOtherBehind = 64;

struct Input {
  std::uint8_t what, seed;
  std::string_view bytes;
};

std::unique_ptr<Visit> Play(const Input& input, const std::vector<std::size_t>& cuts) {
  auto visit = std::make_unique<Visit>();
  visit->Start();
  const bool plain = (input.what & kPlain) != 0;
  visit->Client(plain ? "l AUTHENTICATE PLAIN AGJvYgBzZWNyZXQ=\r\n" : "l LOGIN bob \"s\xe4\"\r\n");
  visit->BackendConnected();
  if ((input.what & kLoginUnderWay) == 0) {
    visit->Backend("* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] hello\r\n+ go\r\n");
    visit->Backend("postern1 OK [CAPABILITY IMAP4rev1 IDLE MULTIAPPEND] in\r\n");
    POSTERN_CHECK(visit->host.logged_in);
  }
  visit->Client(kInFlight[input.what & 7]);
  if ((input.what & kMoreBehind) != 0) visit->Client(kBehind[(input.what & kOtherBehind) != 0]);
  visit->host.client.clear();
  const Split split(input.bytes, cuts);
  for (std::size_t i = 0; i < split.size(); ++i) {
    visit->Backend(split[i]);
    if (!visit->host.end) POSTERN_CHECK(visit->backend_pending.size() <= kMaxCapabilityLine + 64);
  }
  return visit;
}

void CheckFraming(std::string_view bytes) {
  imap::ResponseFramer framer;
  std::vector<std::size_t> ends;
  std::size_t consumed = 0;
  while (consumed < bytes.size()) {
    const imap::Frame frame = framer.Next(bytes.substr(consumed), kResponseHead);
    if (frame.kind == imap::Frame::Kind::kNeedMore) break;
    if (frame.kind == imap::Frame::Kind::kMalformed) {
      ends.push_back(kNaiveMalformed);
      break;
    }
    consumed += frame.size;
    if (framer.at_boundary()) ends.push_back(consumed);
  }
  POSTERN_CHECK(ends == NaiveResponses(bytes));
}

bool MayBeRewritten(std::string_view response) {
  const std::string upper = ToUpper(response.substr(0, response.find('\n')));
  return response[0] == '+' || upper.find("CAPABILITY") != upper.npos ||
         upper.find("[REFERRAL") != upper.npos;
}

// Walks the naive responses and the client's bytes side by side.
void CheckVerbatim(std::string_view bytes, std::string_view client, bool ended) {
  std::size_t begin = 0;
  for (const std::size_t end : NaiveResponses(bytes)) {
    if (end == kNaiveMalformed) break;
    const std::string_view response = bytes.substr(begin, end - begin);
    begin = end;
    if (client.substr(0, response.size()) == response) {
      client.remove_prefix(response.size());
    } else if (response[0] == '+' && client.substr(0, 1) != "+") {
      continue;
    } else if (MayBeRewritten(response) && client.substr(0, 5) != "* BYE") {
      client.remove_prefix(std::min(client.find('\n') + 1, client.size()));
    } else {
      break;
    }
  }
  if (!ended) return;
  // What is left: our goodbye, or the beginning of a response that is cut.
  const bool goodbye = client.find("* BYE ") != client.npos;
  POSTERN_CHECK(client.empty() || goodbye || bytes.substr(begin, client.size()) == client ||
                bytes.find(client) != bytes.npos);
}

void CheckAlike(const Visit& a, const Visit& b) {
  POSTERN_CHECK(a.host.backend == b.host.backend);
  POSTERN_CHECK(a.host.logged_in == b.host.logged_in);
  POSTERN_CHECK(a.host.rejections.size() == b.host.rejections.size());
  POSTERN_CHECK(a.host.failed_logins.size() == b.host.failed_logins.size());
  POSTERN_CHECK(a.host.end.has_value() == b.host.end.has_value());
  if (a.host.end) {
    POSTERN_CHECK(a.host.end->reason == b.host.end->reason);
    POSTERN_CHECK(a.host.end->ending == b.host.end->ending);
  }
  const std::string& left = a.host.client;
  const std::string& right = b.host.client;
  const bool cut = a.host.end && a.host.end->ending == EngineHost::Ending::kAbort;
  // Of a response that is cut, more or less was passed on; else they are the same.
  const std::size_t common = cut ? std::min(left.size(), right.size()) : left.size();
  if (!cut) POSTERN_CHECK(left.size() == right.size());
  POSTERN_CHECK(left.compare(0, common, right, 0, common) == 0);
}

void CheckLaws(Visit& visit) {
  visit.Abandoned();
  POSTERN_CHECK(
      BrokenLaw(visit.shard, Protocol::kImap, visit.client_consumed, visit.host.backend.size())
          .empty());
}

void Check(const Input& input) {
  CheckFraming(input.bytes);
  const auto whole = Play(input, {});
  const bool relayed = (input.what & kLoginUnderWay) == 0;
  const bool nothing_waits = (input.what & kMoreBehind) == 0 && (relayed || (input.what & 7) == 7);
  if (relayed) CheckVerbatim(input.bytes, whole->host.client, whole->host.end.has_value());
  if (input.bytes.size() > 1) {
    SplitRandom random(input.seed);
    std::vector<std::size_t> cuts;
    for (std::size_t at = 1 + random.Next(8); at < input.bytes.size(); at += 1 + random.Next(24)) {
      cuts.push_back(at);
    }
    for (const auto& how : {cuts, EveryByte(input.bytes.size())}) {
      const auto cut = Play(input, how);
      if (nothing_waits) CheckAlike(*whole, *cut);
      CheckLaws(*cut);
    }
  }
  CheckLaws(*whole);
}

}  // namespace
}  // namespace postern::testing

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2 || size > 4096) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  postern::testing::Check({data[0], data[1], bytes.substr(2)});
  return 0;
}
