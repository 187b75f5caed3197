// ImapScript: the commands of one IMAP client and the steps in which it sends them, made from a
// seed: noise, logins good and bad, pipelines, literals of both kinds, IDLE, nonsense, an end.
#pragma once

#include <string>
#include <vector>

#include "simulation/imap_ledger.h"
#include "simulation/script.h"

namespace postern::testing {

struct ImapScript {
  std::vector<ImapCommand> commands;
  std::vector<Step> steps;
};

class ImapScriptWriter {
 public:
  ImapScriptWriter(Random random, const Account& account, Entrance entrance)
      : random_(random), account_(account), entrance_(entrance) {}
  ImapScript Write();

 private:
  using Fate = ImapCommand::Fate;
  // A piece of a command: text, or a literal.
  struct Piece {
    std::string bytes;
    bool literal = false;
  };

  // Before the login (imap_script_login.cc).
  void WriteArrival();
  void WriteNoise();
  void WriteLogin(bool good);
  void WriteLoginCommand(bool good);
  void WriteAuthenticate(bool good);
  std::string Message(std::string_view mechanism, bool good) const;

  void WriteRelay();
  void WriteOne();
  void WriteMailboxCommand();
  void WriteSearch();
  void WriteFetch();
  void WriteAppend();
  void WriteIdle();
  void WriteLocal();
  void WriteNonsense();
  void WriteEnd();

  // Adds the command with its steps; marks are made for its literals, of either kind.
  std::size_t Add(Fate fate, const std::string& verb, std::vector<Piece> pieces);
  std::size_t AddLogin(const std::string& verb, std::vector<Piece> pieces, bool good);
  std::size_t AddLine(Fate fate, const std::string& verb, const std::string& rest);
  void Put(Step::Kind kind, std::size_t command, std::string bytes = {});
  void PutRaw(std::string bytes) { Put(Step::Kind::kSend, kNoCommand, std::move(bytes)); }
  // Waits for the answer, mostly.
  void PutAwait(std::size_t command);
  void CloseIdle();
  std::string NextTag();

  Random random_;
  const Account account_;
  const Entrance entrance_;
  ImapScript script_;
  std::size_t idle_ = kNoCommand;  // an IDLE whose end was not waited for
};

}  // namespace postern::testing
