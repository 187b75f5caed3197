// F-01: an IMAP client's bytes, before and after login, pipelined as they come, with a naive
// backend behind. Input: one byte of switches, one byte that chooses capabilities, one byte that
// seeds the cuts, the client's bytes.
//
// A violation aborts: I1 what is forwarded is what was received but for the named rewrites (the
// laws, and each command by itself); I2 cuts change nothing of what a backend gets or how it ends;
// I3 a reader that takes every mark for a literal finds the same commands in what was forwarded; I4
// what waits stays within the limits; I6 nothing is written after the end (the fake host refuses
// it), and nothing forwarded after doubt. A literal goes only to commands that may have one, and a
// login is one command.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "postern/base/check.h"
#include "postern/engine/limits.h"
#include "postern/imap/command.h"
#include "support/for_every_split.h"
#include "support/naive_imap_backend.h"
#include "support/transcript.h"

namespace postern::testing {
namespace {

constexpr std::uint8_t kLoggedIn = 1;
constexpr std::uint8_t kRefusesLiterals = 2;
constexpr std::uint8_t kRefusesLogins = 4;
constexpr std::uint8_t kAppendLimit = 8;

constexpr std::array<std::string_view, 8> kCapabilities = {
    "BINARY",
    "MULTIAPPEND",
    "CATENATE",
    "IDLE",
    "ID ENABLE",
    "METADATA REPLACE UTF8=ACCEPT",
    "SORT THREAD=REFERENCES MOVE UIDPLUS NAMESPACE",
    "QUOTA ACL URLAUTH NOTIFY"};

struct Input {
  std::uint8_t switches, capabilities, seed;
  std::string_view bytes;
};

std::string Capabilities(std::uint8_t chosen) {
  std::string names = "IMAP4rev1";
  for (std::size_t i = 0; i < kCapabilities.size(); ++i) {
    if ((chosen >> i & 1) != 0) names += " " + std::string(kCapabilities[i]);
  }
  return names;
}

void CheckBounded(NaiveImapVisit& visit) {
  if (visit.host().end || visit.session().engine.client_blocked()) return;
  POSTERN_CHECK(visit.session().client_pending.size() < kMaxHead);
}

std::unique_ptr<NaiveImapVisit> Play(const Input& input, const std::vector<std::size_t>& cuts) {
  auto visit = std::make_unique<NaiveImapVisit>(NaiveImapVisit::Manners{
      Capabilities(input.capabilities), (input.switches & kRefusesLiterals) != 0,
      (input.switches & kRefusesLogins) != 0});
  if ((input.switches & kAppendLimit) != 0) visit->session().host.settings.limits.append = 20;
  if ((input.switches & kLoggedIn) != 0) {
    visit->Client("l0 LOGIN bob secret\r\nl1 LOGIN bob secret\r\n");
  }
  const Split split(input.bytes, cuts);
  for (std::size_t i = 0; i < split.size(); ++i) {
    visit->Client(split[i]);
    CheckBounded(*visit);
  }
  return visit;
}

// Each relayed command may carry what it carries.
void CheckRights(const NaiveImapVisit& visit, std::uint8_t chosen) {
  const imap::CommandSet relayable =
      imap::RelayableCommands(imap::CapabilitySet::Parse(Capabilities(chosen)));
  for (const SeenCommand& command : visit.relayed()) {
    if (EqualsNoCase(command.text, "DONE\r\n")) continue;
    const imap::CommandKind kind = imap::FindCommand(command.Verb());
    POSTERN_CHECK(relayable[static_cast<std::size_t>(kind)]);
    if (command.literal) POSTERN_CHECK(imap::Traits(kind).literals != imap::Literals::kNone);
    if (imap::Traits(kind).most == 0 && kind != imap::CommandKind::kExpunge) {
      POSTERN_CHECK(command.text.size() == command.Tag().size() + 1 + command.Verb().size() + 2);
    }
  }
}

// Each relayed command is one of the client's, in its order, byte for byte but for the rewrites.
void CheckVerbatim(const NaiveImapVisit& visit, std::string_view bytes) {
  CommandReader reader;
  reader.Feed(bytes);
  for (const SeenCommand& command : visit.relayed()) {
    const std::string verb = command.Verb();
    const bool rewritten = verb == "ID" || verb == "ENABLE";
    while (true) {
      const CommandReader::Event event = reader.Next();
      // What a client of ours does not wait for may be read differently behind a literal refused
      // here.
      if (reader.mark().size > kMaxGatheredLiteral) return;
      POSTERN_CHECK(event != CommandReader::Event::kNone);
      if (event != CommandReader::Event::kCommand) continue;
      const SeenCommand& said = reader.current();
      if (said.text == command.text) break;
      if (rewritten && said.Tag() == command.Tag() && said.Verb() == verb) break;
    }
  }
}

// One command for a login, whatever is in the name and the password.
void CheckLogins(const NaiveImapVisit& visit) {
  for (const SeenCommand& login : visit.logins()) {
    POSTERN_CHECK(login.text.rfind("postern1 LOGIN ", 0) == 0 ||
                  login.text.rfind("postern1 AUTHENTICATE PLAIN", 0) == 0);
  }
  POSTERN_CHECK(visit.logins().size() <= visit.host().connects.size());
}

void CheckAlike(const NaiveImapVisit& a, const NaiveImapVisit& b) {
  POSTERN_CHECK(a.to_backend() == b.to_backend());
  POSTERN_CHECK(a.host().connects == b.host().connects);
  POSTERN_CHECK(a.host().failed_logins.size() == b.host().failed_logins.size());
  POSTERN_CHECK(a.host().end.has_value() == b.host().end.has_value());
  if (a.host().end) POSTERN_CHECK(a.host().end->reason == b.host().end->reason);
  // The order of our own answers among the backend's depends on how fast that is; what is said does
  // not.
  if (a.host().end) return;
  std::string left = a.to_client(), right = b.to_client();
  std::sort(left.begin(), left.end());
  std::sort(right.begin(), right.end());
  POSTERN_CHECK(left == right);
}

void CheckLaws(NaiveImapVisit& visit) {
  visit.session().Abandoned();
  POSTERN_CHECK(BrokenLaw(visit.session().shard, Protocol::kImap, visit.session().client_consumed,
                          visit.to_backend().size())
                    .empty());
}

void Check(const Input& input) {
  const auto whole = Play(input, {});
  CheckRights(*whole, input.capabilities);
  CheckLogins(*whole);
  const bool logged_in = (input.switches & kLoggedIn) != 0;
  const bool plain = (input.switches & (kRefusesLiterals | kAppendLimit)) == 0;
  if (logged_in && plain) CheckVerbatim(*whole, input.bytes);
  CheckLaws(*whole);
  if (input.bytes.size() < 2) return;
  SplitRandom random(input.seed);
  std::vector<std::size_t> cuts;
  for (std::size_t at = 1 + random.Next(8); at < input.bytes.size(); at += 1 + random.Next(24)) {
    cuts.push_back(at);
  }
  for (const auto& how : {cuts, EveryByte(input.bytes.size())}) {
    const auto cut = Play(input, how);
    CheckAlike(*whole, *cut);
    CheckLaws(*cut);
  }
}

}  // namespace
}  // namespace postern::testing

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 3 || size > 4096) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  postern::testing::Check({data[0], data[1], data[2], bytes.substr(3)});
  return 0;
}
