#include "simulation/imap_ledger.h"

#include <utility>

#include "simulation/tls_stand_in.h"

namespace postern::testing {
namespace {

bool Begins(std::string_view text, std::string_view with) {
  return text.substr(0, with.size()) == with;
}

// What Postern may never say to a backend of its own accord (DESIGN 2.4).
bool IsForbidden(const std::string& verb) {
  for (const std::string_view word : {"NOOP", "CLOSE", "EXPUNGE", "LOGOUT", "IDLE", "DONE", "QUIT"})
    if (verb == word) return true;
  return false;
}

std::string StatusOf(std::string_view response) {
  const std::size_t space = response.find(' ');
  if (space == response.npos) return {};
  return std::string(
      response.substr(space + 1, response.find_first_of(" \r", space + 1) - space - 1));
}

}  // namespace

void ImapLedger::Violate(std::string_view law, const std::string& what) {
  record_.Violate(law, name_ + ": " + what);
}

void ImapLedger::ClientSends(const ImapCommand& command) { sent_.push_back({command}); }

ImapLedger::Entry* ImapLedger::Find(const std::string& tag) {
  for (Entry& entry : sent_)
    if (entry.command.tag == tag) return &entry;
  return nullptr;
}

// ---- the backend

void ImapLedger::LoginAccepted() {
  if (accepted_) Violate("R-INV-2", "a second login after one that was accepted");
  accepted_ = true;
}

// What reaches the backend is what the client sent, in its order, each command once.
ImapLedger::Entry* ImapLedger::Arrive(std::string_view text) {
  const std::string tag = TagOf(text);
  Entry* entry = Find(tag);
  if (entry == nullptr) {
    Violate(IsForbidden(VerbOf(text)) ? "R-INV-5" : "R-INV-2",
            "the backend reads a command that the client did not send: " + Shown(text));
    return nullptr;
  }
  const std::size_t index = static_cast<std::size_t>(entry - sent_.data());
  if (entry->at_backend || index < next_at_backend_) {
    Violate("R-INV-2", "the backend reads a command twice or out of order: " + Shown(text));
    return nullptr;
  }
  entry->at_backend = true;
  for (; next_at_backend_ < index; ++next_at_backend_) {
    const Entry& passed = sent_[next_at_backend_];
    if (passed.command.fate != ImapCommand::Fate::kMust || passed.ended || ruled_) continue;
    Violate("R-INV-2", "the backend reads " + tag + ", but never " + passed.command.tag);
  }
  next_at_backend_ = index + 1;
  return entry;
}

void ImapLedger::BackendRead(std::string_view text) {
  const std::string verb = VerbOf(text);
  if (!logged_in_ && Begins(text, "postern") && verb == "CAPABILITY") return;
  Entry* entry = Arrive(text);
  if (entry == nullptr) return;
  for (const std::string& never : forbidden_) {
    if (logged_in_ && verb == never) Violate("rules", "the backend reads " + Shown(text));
  }
  if (ruled_ && IsRuled(*entry, text)) return;
  const bool changed = entry->command.fate == ImapCommand::Fate::kRewritten;
  if (changed ? entry->command.verb != verb : entry->command.bytes != text) {
    Violate("R-INV-2", "the client meant " + Shown(entry->command.bytes) +
                           " and the backend reads " + Shown(text));
  }
}

// What a rule makes of a SELECT: EXAMINE, or the deselection that a refused one is.
bool ImapLedger::IsRuled(Entry& entry, std::string_view text) const {
  const ImapCommand& command = entry.command;
  const std::string before = command.tag + " ";
  const bool select = command.verb == "SELECT";
  if (!select && command.verb != "EXAMINE") return false;
  if (text == before + "EXAMINE \"\"\r\n") return entry.deselects = true;
  return select && text == before + "EXAMINE" + command.bytes.substr(before.size() + 6);
}

void ImapLedger::BackendRefuses(std::string_view begin) {
  Entry* entry = Arrive(begin);
  if (entry == nullptr || Begins(entry->command.bytes, begin)) return;
  const std::string examine =
      entry->command.tag + " EXAMINE" + entry->command.bytes.substr(entry->command.tag.size() + 7);
  if (ruled_ && entry->command.verb == "SELECT" && Begins(examine, begin)) return;
  Violate("R-INV-2", "the client meant " + Shown(entry->command.bytes) + " and the backend reads " +
                         Shown(begin));
}

void ImapLedger::BackendReadDone() {
  if (++dones_at_backend_ > dones_) Violate("R-INV-5", "the backend reads a DONE of nobody's");
}

void ImapLedger::BackendSays(std::string_view response, Words words) {
  said_.push_back({std::string(response), words});
}

// ---- Postern to the client

void ImapLedger::PosternWrote(std::string_view bytes) {
  to_client_.Feed(bytes);
  while (const std::optional<std::string> response = to_client_.Next()) {
    if (*response == kTlsWelcome) continue;
    if (!TakeRelayed(*response)) JudgeOwn(*response);
  }
}

bool ImapLedger::Matches(const Said& said, const std::string& response) {
  if (said.words != Words::kCapability) return said.text == response;
  if (Begins(said.text, "* CAPABILITY")) return Begins(response, "* CAPABILITY");
  return TagOf(said.text) == TagOf(response) && StatusOf(said.text) == StatusOf(response);
}

// True when it is what the backend said next.
bool ImapLedger::TakeRelayed(const std::string& response) {
  for (std::size_t i = 0; i < said_.size(); ++i) {
    if (Matches(said_[i], response)) {
      said_.erase(said_.begin(), said_.begin() + static_cast<std::ptrdiff_t>(i) + 1);
      if (response.front() != '*' && response.front() != '+') End(response);
      bye_ = bye_ || Begins(response, "* BYE");
      return true;
    }
    if (said_[i].words != Words::kContinuation) return false;
  }
  return false;
}

void ImapLedger::End(const std::string& response) {
  Entry* entry = Find(TagOf(response));
  if (entry == nullptr) return;
  if (entry->ended) Violate("R-INV-3", "a command ends twice: " + Shown(response));
  entry->ended = true;
  if (entry->command.verb == "LOGOUT" && StatusOf(response) != "NO") bye_ = true;
  if (entry->command.login && StatusOf(response) == "OK") logged_in_ = true;
}

// Postern speaks for itself.
void ImapLedger::JudgeOwn(const std::string& response) {
  CheckCodes(response);
  if (response.front() == '+') return;
  if (!Begins(response, "* ")) return JudgeOwnTagged(response);
  if (Begins(response, "* BYE")) {
    if (bye_) Violate("R-INV-4", "a second BYE: " + Shown(response));
    bye_ = true;
    return;
  }
  bool known = Begins(response, "* BAD");
  for (const std::string_view word : {"* OK", "* CAPABILITY", "* NO"})
    known = known || (!logged_in_ && Begins(response, word));
  for (const std::string_view word : {"* ID ", "* ENABLED\r\n"})
    known = known || Begins(response, word);
  if (!known) Violate("R-INV-3", "no backend said " + Shown(response));
}

void ImapLedger::JudgeOwnTagged(const std::string& response) {
  Entry* entry = Find(TagOf(response));
  if (entry == nullptr) return;  // of a line that is no command
  const std::string status = StatusOf(response);
  const ImapCommand& command = entry->command;
  const bool ok = status == "OK";
  if (ok && command.login && !accepted_) {
    Violate("R-INV-3", "logged in without a backend's word: " + Shown(response));
  }
  if (command.good && response.find("[AUTHENTICATIONFAILED]") != response.npos) {
    Violate("codes", "the password was right: " + Shown(response));
  }
  const bool may_ok = command.fate == ImapCommand::Fate::kRewritten || !logged_in_;
  if (ok && (entry->at_backend || !may_ok)) {
    Violate("R-INV-3", "OK, and the backend did not say so: " + Shown(response));
  }
  if (!ok && entry->deselects) {
    // In the place of what the backend said to it.
    if (said_.empty() || TagOf(said_.front().text) != command.tag) {
      Violate("R-INV-3", "refused before the backend has deselected: " + Shown(response));
    } else {
      said_.pop_front();
    }
    return End(response);
  }
  if (!ok && entry->at_backend) {
    Violate("R-INV-3", "an answer of our own to what the backend has: " + Shown(response));
  }
  const bool must = command.fate == ImapCommand::Fate::kMust && logged_in_;
  if (!ok && must && !ruled_ && response.find("[TOOBIG]") == response.npos) {
    Violate("R-INV-2", "refused without a reason: " + Shown(response));
  }
  End(response);
}

// Those of the one table, of a list of capabilities, and of a backend's alert.
void ImapLedger::CheckCodes(const std::string& response) {
  const std::size_t open = response.find('[');
  if (open == response.npos) return;
  const std::string code = response.substr(open + 1, response.find_first_of(" ]", open) - open - 1);
  for (const std::string_view known : {"AUTHENTICATIONFAILED", "PRIVACYREQUIRED", "UNAVAILABLE",
                                       "TOOBIG", "CLIENTBUG", "CANNOT", "CAPABILITY", "ALERT"})
    if (code == known) return;
  for (const std::string_view known :
       {"AUTHORIZATIONFAILED", "NOPERM", "LIMIT", "NONEXISTENT", "TRYCREATE"})
    if (ruled_ && code == known) return;
  Violate("codes", "a code of nobody's: " + Shown(response));
}

// A response that was begun and not ended is cut visibly, and nothing of ours stands behind it.
void ImapLedger::PosternClosed(Stream::How how) {
  if (to_client_.partial().empty()) {
    const bool silent = how == Stream::How::kFlush && logged_in_ && !left_ && !bye_;
    if (silent) Violate("last words", "the session ends without a BYE");
    return;
  }
  if (how != Stream::How::kAbort) {
    Violate("R-INV-4", "an orderly end inside a response: " + Shown(to_client_.partial()));
  }
  const std::string& partial = to_client_.partial();
  for (const Said& said : said_) {
    if (said.words == Words::kCapability || Begins(said.text, partial)) return;
    if (said.words == Words::kVerbatim) break;
  }
  Violate("R-INV-4", "what is cut is not what the backend said: " + Shown(partial));
}

}  // namespace postern::testing
