// F-04: a POP3 client's bytes, before and after login, pipelined as they come, with a naive backend
// behind. Input: one byte of switches, one byte that seeds the cuts, the client's bytes.
//
// A violation aborts: I1 what is forwarded is what was received but for the named rewrites (the
// naive model says which); I2 however the bytes are cut, the same is written on both sides and the
// session ends alike; I4 what waits to be consumed stays within the line limits; I6 after a framing
// error nothing is forwarded (the model again, and the fake host, which refuses any write after the
// end). And each credential goes out in lines that we made, one write a line.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "support/naive_pop3_backend.h"

namespace postern::testing {
namespace {

constexpr std::uint8_t kLoggedIn = 1;  // the client's bytes begin after a login
constexpr std::uint8_t kSerial = 2;    // the backend has no PIPELINING
constexpr std::uint8_t kNoSasl = 4;
constexpr std::uint8_t kRefuses = 8;  // the backend accepts no login of the client's own

struct Input {
  std::uint8_t switches;
  std::uint8_t seed;
  std::string_view bytes;
};

void CheckBounded(const NaiveVisit& visit) {
  const FakeSession<Pop3Engine>& session = visit.session;
  if (session.host.end || session.engine.client_blocked()) return;
  POSTERN_CHECK(session.client_pending.size() <
                (session.host.logged_in ? kMaxPop3Line : kMaxSaslLine));
}

std::unique_ptr<NaiveVisit> Play(const Input& input, const std::vector<std::size_t>& cuts) {
  const bool logged_in = (input.switches & kLoggedIn) != 0;
  auto visit = std::make_unique<NaiveVisit>(
      NaivePop3Backend::Manners{(input.switches & kSerial) == 0, (input.switches & kNoSasl) == 0,
                                logged_in || (input.switches & kRefuses) == 0});
  if (logged_in) visit->LogIn();
  const Split split(input.bytes, cuts);
  for (std::size_t i = 0; i < split.size(); ++i) {
    visit->Client(split[i]);
    CheckBounded(*visit);
  }
  if (logged_in) CheckRelay(*visit, input.bytes);
  return visit;
}

void CheckAlike(const NaiveVisit& a, const NaiveVisit& b) {
  const FakeHost& left = a.session.host;
  const FakeHost& right = b.session.host;
  POSTERN_CHECK(a.to_client == b.to_client);
  POSTERN_CHECK(a.to_backend == b.to_backend);
  POSTERN_CHECK(left.connects == right.connects);
  POSTERN_CHECK(left.failed_logins.size() == right.failed_logins.size());
  POSTERN_CHECK(left.end.has_value() == right.end.has_value());
  if (left.end) POSTERN_CHECK(right.Ended(left.end->reason, left.end->ending));
  POSTERN_CHECK(a.session.client_consumed == b.session.client_consumed);
}

void Test(const Input& input) {
  const std::unique_ptr<NaiveVisit> whole = Play(input, {});
  CheckAlike(*whole, *Play(input, EveryByte(input.bytes.size())));
  SplitRandom random(input.seed);
  std::vector<std::size_t> cuts;
  for (std::size_t at = 1 + random.Next(20); at < input.bytes.size(); at += 1 + random.Next(20))
    cuts.push_back(at);
  CheckAlike(*whole, *Play(input, cuts));
}

}  // namespace
}  // namespace postern::testing

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  postern::testing::Test({data[0], data[1], bytes.substr(2)});
  return 0;
}
