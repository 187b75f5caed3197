// ImapClient: a client that plays an IMAP script, and the ledger of its session.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "simulation/imap_ledger.h"
#include "simulation/imap_script.h"
#include "simulation/scripted_client.h"

namespace postern::testing {

class ImapClient final : public ScriptedClient {
 public:
  ImapClient(Timeline& timeline, Record& record, Wire& wire, ImapScript script)
      : ScriptedClient(timeline, record, wire, std::move(script.steps), script.commands.size()),
        ledger_(record, wire.name()),
        commands_(std::move(script.commands)) {}
  ImapLedger& ledger() { return ledger_; }

  void OnNearWrote(std::string_view bytes) override { ledger_.PosternWrote(bytes); }
  void OnNearClosed(Stream::How how) override { ledger_.PosternClosed(how); }

 private:
  void OnBegins(std::size_t command) override { ledger_.ClientSends(commands_[command]); }
  void OnDone() override { ledger_.ClientSendsDone(); }
  void OnLeaves() override { ledger_.ClientLeaves(); }
  void Read(std::string_view bytes) override {
    reader_.Feed(bytes);
    while (const std::optional<std::string> response = reader_.Next()) {
      const std::string tag = TagOf(*response);
      greeted_ = true;
      if (tag == "+") ++pluses_;
      for (std::size_t i = 0; i < commands_.size(); ++i)
        if (commands_[i].tag == tag) ended_[i] = true;
    }
  }

  ImapLedger ledger_;
  ResponseReader reader_;
  const std::vector<ImapCommand> commands_;
};

}  // namespace postern::testing
