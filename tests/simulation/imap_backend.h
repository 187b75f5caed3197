// ImapBackend: an IMAP server that answers what it reads, slowly or at once, and lies, stalls and
// dies as its seed wants. Everything it reads and says behind a login is entered in the ledger of
// the session that it is for.
#pragma once

#include <string>
#include <vector>

#include "simulation/backend.h"
#include "simulation/imap_client.h"
#include "simulation/imap_reader.h"

namespace postern::testing {

class ImapBackend final : public SimBackend {
 public:
  ImapBackend(Timeline& timeline, Record& record, Wire& wire, Random random, Settings settings,
              ImapClient& client);

 private:
  using Words = ImapLedger::Words;
  void Greet() override;
  void Feed(std::string_view bytes) override { reader_.Feed(bytes); }
  bool WorkOnce() override;
  void OnMark();

  // The login (imap_backend_login.cc).
  void OnLoginCommand(const std::string& text);
  void OnAuthenticate(const std::string& text);
  void OnSaslLine(std::string line);
  void Judge(const std::string& secret);
  void Accept();
  void Answer(std::string_view result);
  std::string Capabilities() const;

  // Behind it.
  void OnCommand(const std::string& text);
  void Fail(const std::string& tag);
  void Reply(const std::string& tag, const std::string& verb, const std::string& text);
  void SayMessages();
  void OnIdle(const std::string& tag);
  void OnDone();
  void Push();
  void SayTagged(const std::string& tag, std::string_view result);
  void Say(const std::string& response, Words words = Words::kVerbatim);
  std::string Number() { return std::to_string(1000 + ++number_); }
  std::string Fetch(std::size_t size);

  ImapClient& client_;
  ImapLedger& ledger_;
  CommandReader reader_;
  std::vector<std::string> capabilities_;
  bool logged_in_ = false;
  std::string sasl_tag_;  // of an AUTHENTICATE under way
  std::string mechanism_;
  std::string secret_;
  bool refused_ = false;  // a challenge was sent; its answer ends the exchange
  std::string login_tag_;
  std::string idle_tag_;
  bool idle_plus_said_ = false;
  std::size_t early_ends_ = 0;  // IDLEs that were ended without their DONE
  std::size_t number_ = 0;
};

}  // namespace postern::testing
