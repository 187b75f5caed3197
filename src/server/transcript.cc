#include "server/transcript.h"

#include <fmt/format.h>

#include <memory>
#include <optional>
#include <ostream>
#include <vector>

#include "postern/base/text.h"
#include "server/given.h"
#include "server/rule_session.h"

namespace postern {
namespace {

struct Step {
  char kind = 0;  // 'C', 'S', 'P', 'B', '!'
  std::string text;
  std::size_t line = 0;
};

std::optional<char> Byte(std::string_view hex) {
  int value = 0;
  for (const char c : hex) {
    const char upper = AsciiUpper(c);
    const bool digit = upper >= '0' && upper <= '9';
    if (!digit && (upper < 'A' || upper > 'F')) return {};
    value = value * 16 + (digit ? upper - '0' : upper - 'A' + 10);
  }
  return hex.size() == 2 ? std::optional(static_cast<char>(value)) : std::nullopt;
}

// False: an escape is none.
bool AppendUnescaped(std::string_view line, std::string& out) {
  constexpr std::string_view kMarks = "rn0s\\";
  constexpr std::string_view kBytes("\r\n\0 \\", 5);
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] != '\\') {
      out.push_back(line[i]);
      continue;
    }
    if (++i == line.size()) return false;
    if (line[i] == 'c') return i + 1 == line.size();
    const std::size_t mark = kMarks.find(line[i]);
    if (mark != kMarks.npos) {
      out.push_back(kBytes[mark]);
      continue;
    }
    const auto byte = line[i] == 'x' ? Byte(line.substr(i + 1, 2)) : std::nullopt;
    if (!byte) return false;
    out.push_back(*byte);
    i += 2;
  }
  out.append("\r\n");
  return true;
}

std::string Escaped(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) {
    const auto octet = static_cast<unsigned char>(c);
    if (c == '\\') {
      text += "\\\\";
    } else if (octet < ' ' || octet >= 0x7F) {
      text += fmt::format("\\x{:02x}", octet);
    } else {
      text += c;
    }
  }
  return text;
}

// One line of the text into steps: neighbours of one side arrive together. False: it is not of this
// format.
bool AddLine(std::string_view line, std::size_t number, std::vector<Step>& steps) {
  if (line.empty() || line[0] == '#') return true;
  if (line[0] == '!') {
    if (line.size() < 3 || line[1] != ' ') return false;
    steps.push_back({'!', std::string(line.substr(2)), number});
    return true;
  }
  const bool known = std::string_view("CSPB").find(line[0]) != std::string_view::npos;
  if (!known || line.size() < 2 || line[1] != ':') return false;
  if (steps.empty() || steps.back().kind != line[0]) steps.push_back({line[0], {}, number});
  return AppendUnescaped(line.substr(std::min<std::size_t>(3, line.size())), steps.back().text);
}

class Player {
 public:
  Player(RuleSet& rules, const RuleNames& names, std::ostream& out)
      : rules_(rules), names_(names), out_(out) {}

  // What is wrong; empty when nothing is.
  std::string Play(const Step& step);
  std::string ExpectSilence();
  void expect(bool strict) { strict_ = strict; }

 private:
  RuleSession& session();
  std::string PlayWords(const std::string& words);
  std::string Arrive(const Step& step);
  std::string Take(const Step& step);
  std::string Check(bool holds, std::string_view what);
  void Show(char kind, std::string_view bytes);
  // What the engine wrote since the last call, shown.
  void Gather();

  RuleSet& rules_;
  const RuleNames& names_;
  std::ostream& out_;
  Given given_;
  std::unique_ptr<RuleSession> session_;
  std::string client_, backend_;  // written and not expected yet
  bool strict_ = true;
};

RuleSession& Player::session() {
  if (session_ == nullptr) {
    session_ = std::make_unique<RuleSession>(&rules_, SessionFactsOf(given_, names_));
  }
  return *session_;
}

void Player::Show(char kind, std::string_view bytes) {
  while (!bytes.empty()) {
    const std::size_t end = bytes.find("\r\n");
    out_ << kind << ": " << Escaped(bytes.substr(0, end)) << (end == bytes.npos ? "\\c\n" : "\n");
    bytes.remove_prefix(end == bytes.npos ? bytes.size() : end + 2);
  }
}

void Player::Gather() {
  if (session_ == nullptr) return;
  if (session_->host.paused) out_ << "# a rule lets it wait\n";
  session_->PauseOver();
  Show('S', session_->host.client);
  Show('P', session_->host.backend);
  client_ += std::exchange(session_->host.client, {});
  backend_ += std::exchange(session_->host.backend, {});
}

std::string Player::ExpectSilence() {
  const std::string client = std::exchange(client_, {});
  const std::string backend = std::exchange(backend_, {});
  if (!strict_) return {};
  if (!client.empty()) return fmt::format("the client also gets \"{}\"", Escaped(client));
  if (!backend.empty()) return fmt::format("the backend also gets \"{}\"", Escaped(backend));
  return {};
}

std::string Player::Take(const Step& step) {
  std::string& written = step.kind == 'S' ? client_ : backend_;
  const std::string got = written.substr(0, step.text.size());
  written.erase(0, step.text.size());
  if (got == step.text) return {};
  return fmt::format("the {} gets \"{}\"; wanted is \"{}\"",
                     step.kind == 'S' ? "client" : "backend", Escaped(got + written),
                     Escaped(step.text));
}

std::string Player::Arrive(const Step& step) {
  if (std::string wrong = ExpectSilence(); !wrong.empty()) return wrong;
  // A client that speaks before anything was said of it has just come.
  if (session_ == nullptr) {
    if (std::string wrong = PlayWords("start"); !wrong.empty()) return wrong;
    if (strict_) client_.clear();
  }
  Show(step.kind, step.text);
  step.kind == 'C' ? session().Client(step.text) : session().Backend(step.text);
  Gather();
  return {};
}

std::string Player::Check(bool holds, std::string_view what) {
  return holds ? std::string() : fmt::format("this has not happened: {}", what);
}

std::string Player::PlayWords(const std::string& words) {
  const std::size_t space = words.find(' ');
  const std::string first = words.substr(0, space);
  const std::string rest = space == words.npos ? "" : words.substr(space + 1);
  if (first == "given") {
    if (session_ != nullptr) return "facts are given before anything happens";
    const std::size_t equals = rest.find('=');
    if (equals == rest.npos) return "write given KEY=VALUE";
    const Status status = SetGiven(given_, rest.substr(0, equals), rest.substr(equals + 1));
    return status.ok() ? std::string() : rest + ": " + status.message();
  }
  RuleHost& host = session().host;
  if (first == "connect") return Check(host.wants_backend && host.facts.user == rest, words);
  if (words == "logged in") return Check(host.logged_in, words);
  if (first == "finish") {
    const std::string_view reason = host.finished ? CloseReasonName(*host.finished) : "";
    return Check(host.finished && rest.substr(0, rest.find(' ')) == reason, words);
  }
  if (std::string wrong = ExpectSilence(); !wrong.empty()) return wrong;
  out_ << "! " << words << '\n';
  if (words == "start") {
    session().Start();
  } else if (first == "login") {
    session().LogIn(rest);
  } else if (words == "connected") {
    session().Connect();
  } else if (words == "backend end") {
    session().BackendEnd();
  } else if (words == "client end") {
    session().ClientEnd();
  } else if (words == "drain") {
    session().Drain();
  } else {
    return "nobody knows how to \"" + words +
           "\"; there are given, login, start, connected, "
           "backend end, client end, drain, connect, logged in, finish";
  }
  Gather();
  return {};
}

std::string Player::Play(const Step& step) {
  if (step.kind == '!') return PlayWords(step.text);
  return step.kind == 'C' || step.kind == 'B' ? Arrive(step) : Take(step);
}

}  // namespace

std::string PlayTranscript(std::string_view text, const std::string& path, RuleSet& rules,
                           const RuleNames& names, std::ostream& out) {
  std::vector<Step> steps;
  std::size_t number = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    if (!AddLine(text.substr(0, end), ++number, steps)) {
      return fmt::format(
          "{}:{}:1: no line of a transcript; write C: S: P: B: or ! and what is "
          "said, with escapes \\r \\n \\0 \\s \\\\ \\xHH \\c",
          path, number);
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  Player player(rules, names, out);
  bool strict = false;
  for (const Step& step : steps) strict |= step.kind == 'S' || step.kind == 'P';
  player.expect(strict);
  for (const Step& step : steps) {
    const std::string wrong = player.Play(step);
    if (!wrong.empty()) return fmt::format("{}:{}:1: {}", path, step.line, wrong);
  }
  const std::string wrong = player.ExpectSilence();
  return wrong.empty() ? wrong : fmt::format("{}:{}:1: {}", path, number, wrong);
}

}  // namespace postern
