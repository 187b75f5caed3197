#include "simulation/pop3_ledger.h"

#include "simulation/tls_stand_in.h"

namespace postern::testing {
namespace {

bool IsOk(std::string_view reply) { return reply.substr(0, 3) == "+OK"; }
bool IsErr(std::string_view reply) { return reply.substr(0, 4) == "-ERR"; }

}  // namespace

std::optional<std::string> ReplyReader::Next(bool body) {
  const std::size_t status = bytes_.find("\r\n");
  if (status == bytes_.npos) return std::nullopt;
  std::size_t size = status + 2;
  if (body && IsOk(bytes_)) {
    const std::size_t end = bytes_.find("\r\n.\r\n", std::max(status, scan_));
    if (end == bytes_.npos) {
      scan_ = bytes_.size() < 4 ? 0 : bytes_.size() - 4;
      return std::nullopt;
    }
    size = end + 5;
  }
  scan_ = 0;
  std::string reply = bytes_.substr(0, size);
  bytes_.erase(0, size);
  return reply;
}

// ---- the backend

void Pop3Ledger::LoginAccepted() {
  if (accepted_) Violate("R-INV-2", "a second login after one that was accepted");
  accepted_ = true;
}

void Pop3Ledger::BackendRead(std::string_view line) {
  const auto skipped = [&](Pop3Command& command) {
    command.ruled = ruled_ && command.bytes != line;
    return !command.passes || command.ruled;
  };
  while (next_at_backend_ < sent_.size() && skipped(sent_[next_at_backend_])) ++next_at_backend_;
  for (const std::string& never : forbidden_) {
    if (line.substr(0, never.size()) == never) Violate("rules", "the backend reads " + Shown(line));
  }
  if (!logged_in_ || next_at_backend_ == sent_.size()) {
    return Violate(line == "QUIT\r\n" ? "R-INV-5" : "R-INV-2",
                   "the backend reads what the client did not send: " + Shown(line));
  }
  const std::string& meant = sent_[next_at_backend_++].bytes;
  if (meant == line) return;
  Violate("R-INV-2", "the client meant " + Shown(meant) + " and the backend reads " + Shown(line));
}

// ---- Postern to the client

void Pop3Ledger::PosternWrote(std::string_view bytes) {
  to_client_.Feed(bytes);
  const auto next = [this] {
    const Pop3Command* command = head();
    return to_client_.Next(greeted_ && command != nullptr && command->body);
  };
  while (const std::optional<std::string> reply = next()) OnReply(*reply);
}

void Pop3Ledger::OnReply(const std::string& reply) {
  if (reply == kTlsWelcome) return;
  if (last_words_) return Violate("R-INV-4", "something follows the last words: " + Shown(reply));
  if (!greeted_) {
    greeted_ = true;
    last_words_ = IsErr(reply);
    return;
  }
  const Pop3Command* command = head();
  CheckCodes(command, reply);
  if (command == nullptr) {
    last_words_ = true;
    if (!IsErr(reply)) Violate("R-INV-3", "a reply to nothing: " + Shown(reply));
    return;
  }
  const bool mine = command->passes && !command->ruled && logged_in_;
  if (mine && TakeRelayed(*command, reply)) {
    ++answered_;
  } else if (!IsOk(reply) && !IsErr(reply)) {
    if (!command->login) Violate("R-INV-3", "a continuation for nobody: " + Shown(reply));
  } else {
    OnAnswer(*command, reply);
  }
}

bool Pop3Ledger::TakeRelayed(const Pop3Command& command, const std::string& reply) {
  if (said_.empty()) return false;
  const bool filtered = command.bytes == "CAPA\r\n" && IsOk(reply) && IsOk(said_.front());
  if (!filtered && said_.front() != reply) return false;
  said_.pop_front();
  return true;
}

// Those of the one table. What a backend says behind a login has none here.
void Pop3Ledger::CheckCodes(const Pop3Command* command, const std::string& reply) {
  if (!IsErr(reply)) return;
  const std::string text = reply.substr(0, reply.find("\r\n"));
  const bool good = command != nullptr && command->good && !logged_in_;
  if (good && text.find("[AUTH]") != text.npos) {
    Violate("codes", "the password was right: " + Shown(text));
  }
  if (text.substr(0, 6) != "-ERR [") return;
  const std::string code = text.substr(6, text.find(']') - 6);
  if (code != "AUTH" && code != "SYS/TEMP" && code != "SYS/PERM") {
    Violate("codes", "a code of nobody's: " + Shown(text));
  }
}

// Postern speaks for itself.
void Pop3Ledger::OnAnswer(const Pop3Command& command, const std::string& reply) {
  // By a rule, or because its capability is hidden.
  const bool refused =
      reply.substr(0, 15) == "-ERR [SYS/PERM]" || reply.substr(0, 20) == "-ERR no such command";
  const bool denied = ruled_ && logged_in_ && refused;
  if (command.passes && logged_in_ && !denied) {
    // It knows no answer, and ends.
    last_words_ = true;
    if (IsOk(reply)) Violate("R-INV-3", "+OK, and the backend did not say so: " + Shown(reply));
    return;
  }
  if (IsOk(reply) && logged_in_) Violate("R-INV-3", "+OK to what no backend saw: " + Shown(reply));
  if (IsOk(reply) && command.login) {
    if (!accepted_) Violate("R-INV-3", "logged in without a backend's word: " + Shown(reply));
    logged_in_ = true;
    next_at_backend_ = answered_ + 1;
  }
  if (denied && command.passes && next_at_backend_ > answered_ && !command.ruled) {
    Violate("rules", "the backend has what a rule refused: " + Shown(command.bytes));
  }
  // What the backend reads next stands behind it.
  if (denied) sent_[answered_].passes = false;
  ++answered_;
}

void Pop3Ledger::PosternClosed(Stream::How how) {
  const std::string& partial = to_client_.partial();
  if (partial.empty()) return;
  if (how != Stream::How::kAbort) {
    Violate("R-INV-4", "an orderly end inside a reply: " + Shown(partial));
  }
  if (said_.empty() || said_.front().substr(0, partial.size()) != partial) {
    Violate("R-INV-4", "what is cut is not what the backend said: " + Shown(partial));
  }
}

}  // namespace postern::testing
