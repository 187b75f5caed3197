// HideTalk: one dialogue of a session in which mailboxes are hidden, played under every split of
// what the client and the backend say.
#pragma once

#include <catch2/catch.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "support/for_every_split.h"
#include "unit/engine/imap_visit.h"

namespace postern::testing {

// Rules that hide these mailboxes (RE2) from everybody.
inline std::vector<Rule> HideRules(const std::vector<std::string>& patterns) {
  Rule rule;
  rule.name = "hide";
  rule.action = Action::kHide;
  for (const std::string& pattern : patterns) {
    rule.mailboxes.push_back({pattern, "here:1:1", TextValue{}});
  }
  return {rule};
}

// What most tests hide.
inline const std::vector<std::string> kSecret = {"Secret", "My Secret", "Shared/.*private.*"};

struct HideTalk {
  // All that the client says, then all that the backend says. Lines end in CRLF.
  std::string client;
  std::string to_backend;
  std::string backend;
  std::string to_client;
  bool ends = false;  // the session is over behind it
};

inline void PlayTalk(const HideTalk& talk, const Split& client, const Split& backend,
                     const std::vector<Rule>& rules) {
  ImapVisit visit;
  visit.LogIn(
      "IMAP4rev1 IDLE XLIST LIST-EXTENDED LIST-STATUS NAMESPACE NOTIFY MULTISEARCH METADATA ACL "
      "QUOTA URLAUTH CATENATE MOVE REPLACE MULTIAPPEND UIDPLUS SORT THREAD=REFS");
  visit.host.UseRules(rules);
  for (std::size_t i = 0; i < client.size(); ++i) visit.Client(client[i]);
  CHECK(visit.ToBackend() == talk.to_backend);
  for (std::size_t i = 0; i < backend.size(); ++i) visit.Backend(backend[i]);
  CHECK(visit.ToBackend().empty());
  CHECK(visit.host.TakeClient() == talk.to_client);
  CHECK(visit.host.end.has_value() == talk.ends);
}

inline void CheckTalk(const HideTalk& talk, const std::vector<Rule>& rules = HideRules(kSecret)) {
  const Split whole_client(talk.client, {});
  const Split whole_backend(talk.backend, {});
  if (!talk.client.empty()) {
    ForEverySplit(
        talk.client,
        [&](const Split& split) {
          INFO("client " << split.text());
          PlayTalk(talk, split, whole_backend, rules);
        },
        2);
  }
  if (talk.backend.empty()) return;
  ForEverySplit(
      talk.backend,
      [&](const Split& split) {
        INFO("backend " << split.text());
        PlayTalk(talk, whole_client, split, rules);
      },
      2);
}

// A command that goes out as it is, and its answer.
inline void CheckAnswer(const std::string& command, const std::string& answer,
                        const std::string& shown) {
  INFO(command);
  const std::string end = "a OK done\r\n";
  CheckTalk({command, command, answer + end, shown + end});
}

// A command of which the backend hears nothing.
inline void CheckGone(const std::string& command, const std::string& status,
                      const std::string& before = "") {
  INFO(command);
  CheckTalk({command, "", "", before + "a " + status + "\r\n"});
}

inline constexpr const char* kNonexistent = "NO [NONEXISTENT] Mailbox does not exist";
inline constexpr const char* kTryCreateIt = "NO [TRYCREATE] Mailbox does not exist";
inline constexpr const char* kCannotMake = "NO [CANNOT] a mailbox of this name cannot be made here";

}  // namespace postern::testing
