// Pop3Client: a client that plays a POP3 script, and the ledger of its session.
#pragma once

#include <utility>
#include <vector>

#include "simulation/pop3_ledger.h"
#include "simulation/pop3_script.h"
#include "simulation/scripted_client.h"

namespace postern::testing {

class Pop3Client final : public ScriptedClient {
 public:
  Pop3Client(Timeline& timeline, Record& record, Wire& wire, Pop3Script script)
      : ScriptedClient(timeline, record, wire, std::move(script.steps), script.commands.size()),
        ledger_(record, wire.name()),
        commands_(std::move(script.commands)) {}
  Pop3Ledger& ledger() { return ledger_; }

  void OnNearWrote(std::string_view bytes) override { ledger_.PosternWrote(bytes); }
  void OnNearClosed(Stream::How how) override { ledger_.PosternClosed(how); }

 private:
  void OnBegins(std::size_t command) override {
    ledger_.ClientSends(commands_[command]);
    begun_ = command + 1;
  }
  void Read(std::string_view bytes) override {
    reader_.Feed(bytes);
    const auto next = [this] { return reader_.Next(greeted_ && waits() && commands_[at_].body); };
    while (const std::optional<std::string> reply = next()) {
      const bool status = reply->starts_with("+OK") || reply->starts_with("-ERR");
      if (!greeted_) {
        greeted_ = true;
      } else if (!status) {
        ++pluses_;
      } else if (waits()) {
        ended_[at_++] = true;
      }
    }
  }
  bool waits() const { return at_ < begun_; }

  Pop3Ledger ledger_;
  ReplyReader reader_;
  const std::vector<Pop3Command> commands_;
  std::size_t begun_ = 0;
  std::size_t at_ = 0;  // the first one that was not answered
};

}  // namespace postern::testing
