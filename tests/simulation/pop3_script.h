// Pop3Script: the commands of one POP3 client and the steps in which it sends them, made from a
// seed.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "simulation/pop3_ledger.h"
#include "simulation/script.h"

namespace postern::testing {

struct Pop3Script {
  std::vector<Pop3Command> commands;
  std::vector<Step> steps;
};

class Pop3ScriptWriter {
 public:
  Pop3ScriptWriter(Random random, const Account& account, Entrance entrance)
      : random_(random), account_(account), entrance_(entrance) {}
  Pop3Script Write();

 private:
  void WriteArrival();
  void WriteNoise();
  void WriteLogin(bool good);
  void WriteUserPass(bool good);
  void WriteAuth(bool good);
  void WriteRelay();
  void WriteNonsense();
  void WriteEnd();

  enum class Way : std::uint8_t { kLocal, kPasses, kPassesWithBody, kLocalWithBody, kLogin };
  std::size_t Add(Way way, const std::string& line);
  void Put(Step::Kind kind, std::size_t command, std::string bytes = {});
  void PutRaw(std::string bytes) { Put(Step::Kind::kSend, kNoCommand, std::move(bytes)); }
  void PutAwait(std::size_t command);

  Random random_;
  const Account account_;
  const Entrance entrance_;
  Pop3Script script_;
};

}  // namespace postern::testing
