// Pop3Backend: a POP3 server that answers what it reads and lies, stalls and dies as its seed
// wants. What it reads and says behind a login is entered in the ledger of the session.
#pragma once

#include <string>

#include "simulation/backend.h"
#include "simulation/byte_queue.h"
#include "simulation/pop3_client.h"

namespace postern::testing {

class Pop3Backend final : public SimBackend {
 public:
  Pop3Backend(Timeline& timeline, Record& record, Wire& wire, Random random, Settings settings,
              Pop3Client& client);

 private:
  void Greet() override;
  void Feed(std::string_view bytes) override { bytes_.append(bytes); }
  bool WorkOnce() override;

  void OnLoginLine(const std::string& line);
  void OnSaslLine(const std::string& line);
  void Judge(const std::string& secret);
  std::string Capabilities() const;
  void OnCommand(const std::string& line);
  void Fail(bool body);
  std::string Body();
  void Say(const std::string& reply);
  std::string Number() { return std::to_string(1000 + ++number_); }

  Pop3Client& client_;
  Pop3Ledger& ledger_;
  std::string bytes_;
  const bool knows_capa_;
  const bool pipelines_;
  const bool knows_sasl_;
  const bool knows_utf8_;
  std::string user_;
  bool logged_in_ = false;
  bool sasl_ = false;     // an AUTH waits for its next line
  bool token_ = false;    // of a mechanism that says no by a challenge
  bool refused_ = false;  // the challenge was sent
  std::size_t number_ = 0;
};

}  // namespace postern::testing
