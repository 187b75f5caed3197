// F-02 where mailboxes are hidden. Input: one byte that seeds the cuts, the backend's answers.
//
// A violation aborts: cuts change nothing; what goes on is whole responses, or ends in an abort;
// and what was let through would be let through again as it is: nothing hidden is left in it, and
// what is rewritten is still an answer.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/imap_hide.h"
#include "postern/base/check.h"
#include "postern/engine/imap_engine.h"
#include "postern/imap/response.h"
#include "postern/imap/response_names.h"
#include "support/fake_host.h"
#include "support/for_every_split.h"
#include "support/naive_framer.h"

namespace postern::testing {
namespace {

using Visit = FakeSession<ImapEngine>;

std::vector<Rule> HideSecret() {
  Rule rule;
  rule.name = "hide";
  rule.action = Action::kHide;
  rule.mailboxes.push_back({"S", "here:1:1", TextValue{}});
  rule.mailboxes.push_back({"INBOX", "here:1:1", TextValue{}});
  return {rule};
}

std::unique_ptr<Visit> Play(std::string_view bytes, const std::vector<std::size_t>& cuts) {
  auto visit = std::make_unique<Visit>();
  visit->Start();
  visit->Client("l LOGIN bob secret\r\n");
  visit->BackendConnected();
  visit->Backend("* OK hello\r\n");
  visit->Backend("postern1 OK [CAPABILITY IMAP4rev1] in\r\n");
  POSTERN_CHECK(visit->host.logged_in);
  visit->host.UseRules(HideSecret());
  visit->Client("a NOOP\r\nb NOOP\r\n");
  visit->host.client.clear();
  const Split split(bytes, cuts);
  for (std::size_t i = 0; i < split.size(); ++i) visit->Backend(split[i]);
  return visit;
}

// Whether a response that was let through is let through again.
bool Passes(const SessionRules& rules, std::string_view response) {
  const std::string_view line = response.substr(0, response.find("\r\n"));
  const imap::ResponseHead head = imap::ParseResponseHead(line);
  if (head.kind == imap::ResponseHead::Kind::kContinuation) return true;
  if (head.status != imap::ResponseHead::Status::kNone) {
    const auto neutral = NeutralStatus(rules, head, line, true);
    return !neutral || *neutral == line;
  }
  if (!imap::MayNameMailbox(head.word)) return true;
  const auto hides = [&rules](std::string_view name) { return rules.HidesMailbox(name); };
  return imap::FilterNames(response, true, hides).verdict == imap::FilteredNames::Verdict::kKeep;
}

void CheckShown(const Visit& visit) {
  const std::string& shown = visit.host.client;
  std::size_t begin = 0;
  for (const std::size_t end : NaiveResponses(shown)) {
    POSTERN_CHECK(end != kNaiveMalformed);
    POSTERN_CHECK(Passes(*visit.host.session_rules, shown.substr(begin, end - begin)));
    begin = end;
  }
}

void Check(std::uint8_t seed, std::string_view bytes) {
  const auto whole = Play(bytes, {});
  CheckShown(*whole);
  if (bytes.size() < 2) return;
  SplitRandom random(seed);
  std::vector<std::size_t> cuts;
  for (std::size_t at = 1 + random.Next(8); at < bytes.size(); at += 1 + random.Next(24)) {
    cuts.push_back(at);
  }
  for (const auto& how : {cuts, EveryByte(bytes.size())}) {
    const auto cut = Play(bytes, how);
    POSTERN_CHECK(cut->host.end.has_value() == whole->host.end.has_value());
    const bool aborted = whole->host.end && whole->host.end->ending == EngineHost::Ending::kAbort;
    if (!aborted && whole->backend_pending.empty()) {
      POSTERN_CHECK(cut->host.client == whole->host.client);
    }
    CheckShown(*cut);
  }
}

}  // namespace
}  // namespace postern::testing

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1 || size > 4096) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  postern::testing::Check(data[0], bytes.substr(1));
  return 0;
}
