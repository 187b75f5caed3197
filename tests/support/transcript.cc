#include "support/transcript.h"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <sstream>

#include "metrics/shard_data.h"
#include "support/rule_words.h"

namespace postern::testing {
namespace {

void AppendUnescaped(std::string_view line, std::string& out) {
  static const std::map<char, char> kPlain = {
      {'r', '\r'}, {'n', '\n'}, {'0', '\0'}, {'s', ' '}, {'\\', '\\'}};
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] != '\\' || i + 1 == line.size()) {
      out.push_back(line[i]);
      continue;
    }
    const char mark = line[++i];
    if (mark == 'c') return;
    if (mark == '*') {
      const std::size_t count = std::stoul(std::string(line.substr(i + 1)));
      out.append(count - 1, out.back());
      i += std::to_string(count).size();
    } else if (mark == 'x') {
      out.push_back(static_cast<char>(std::stoi(std::string(line.substr(i + 1, 2)), nullptr, 16)));
      i += 2;
    } else {
      out.push_back(kPlain.at(mark));
    }
  }
  out.append("\r\n");
}

}  // namespace

Refusal RefusalInWords(std::string_view words) {
  static const std::map<std::string_view, Trouble> kTroubles = {
      {"rule", Trouble::kAuthorization},
      {"limit", Trouble::kLimit},
      {"unavailable", Trouble::kUnavailable},
      {"credentials", Trouble::kCredentials},
      {"tls", Trouble::kTlsRequired}};
  Refusal refusal;
  while (true) {
    const std::size_t space = words.find(' ');
    const std::string_view word = words.substr(0, space);
    words.remove_prefix(std::min(space + 1, words.size()));
    if (word == "last") {
      refusal.last = true;
    } else if (word == "wrong") {
      refusal.wrong_password = true;
    } else {
      refusal.trouble = kTroubles.at(word);
      refusal.text = words;
      return refusal;
    }
  }
}

namespace {

// What the host says of rules and limits.
bool SetUpRules(const std::string& what, const std::string& value, FakeHost& host) {
  if (what == "rule" || (what == "no" && value == "rules")) {
    std::vector<Rule> rules;
    if (what == "rule") {
      if (host.rule_book) rules = host.rule_book->rules;
      rules.push_back(RuleInWords(value));
    }
    if (host.rule_facts.user.empty()) host.rule_facts.user = "bob";
    host.rule_facts.pool = 0;
    host.UseRules(std::move(rules));
  } else if (what == "user") {
    host.rule_facts.user = host.KeepText(value);
  } else if (what == "common") {
    host.offer.imap.clear();
    std::istringstream names(value);
    for (std::string name; names >> name;) host.offer.imap.push_back(name);
  } else if (what == "admit" || what == "id") {
    (what == "admit" ? host.admit_refusal : host.id_refusal) = RefusalInWords(host.KeepText(value));
  } else {
    return false;
  }
  return true;
}

}  // namespace

bool SetUp(const std::string& what, const std::string& value, FakeHost& host) {
  static const std::map<std::string, ListenerTls> kListeners = {
      {"implicit", ListenerTls::kImplicit},
      {"starttls", ListenerTls::kStarttls},
      {"refuse", ListenerTls::kRefuse},
      {"none", ListenerTls::kNone}};
  static const std::map<std::string, PoolTls> kPools = {
      {"none", PoolTls::kNone}, {"starttls", PoolTls::kStarttls}, {"implicit", PoolTls::kImplicit}};
  ListenerPlan& listener = host.settings.listeners.at(0);
  PoolPlan& pool = host.settings.pools.at(0);
  if (what == "listener") {
    listener.tls = kListeners.at(value);
    host.facts.secure = listener.tls == ListenerTls::kImplicit;
  } else if (what == "mechanisms") {
    listener.mechanisms = {};
    std::istringstream names(value);
    for (std::string name; names >> name;) listener.mechanisms.Add(*SaslMechanismOf(name));
  } else if (what == "pool") {
    pool.tls = kPools.at(value);
  } else if (what == "forward") {
    (value == "id" ? pool.forward_id : pool.forward_xclient) = true;
  } else {
    return SetUpRules(what, value, host);
  }
  return true;
}

std::vector<TranscriptStep> LoadTranscript(const std::string& path) {
  std::vector<TranscriptStep> steps;
  std::ifstream file(path);
  std::size_t number = 0;
  for (std::string line; std::getline(file, line);) {
    ++number;
    if (line.empty() || line[0] == '#') continue;
    const char kind = line[0];
    if (kind == '!') {
      steps.push_back({kind, line.substr(2), number});
      continue;
    }
    if (steps.empty() || steps.back().kind != kind) steps.push_back({kind, {}, number});
    AppendUnescaped(std::string_view(line).substr(std::min<std::size_t>(3, line.size())),
                    steps.back().text);
  }
  return steps;
}

std::string Escaped(std::string_view bytes) {
  std::string text;
  for (const char c : bytes.substr(0, 600)) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\r') {
      text += "\\r";
    } else if (c == '\n') {
      text += "\\n";
    } else if (byte < ' ' || byte >= 0x7f) {
      char hex[5];
      std::snprintf(hex, sizeof(hex), "\\x%02x", byte);
      text += hex;
    } else {
      text += c;
    }
  }
  return bytes.size() > 600 ? text + "... (" + std::to_string(bytes.size()) + " bytes)" : text;
}

std::string BrokenLaw(const Shard& shard, Protocol protocol, std::size_t consumed,
                      std::size_t sent) {
  const Shard::Data& data = shard.data();
  const auto index = static_cast<std::size_t>(protocol);
  std::uint64_t ended = 0;
  for (const auto& series : data.commands[index]) {
    if (series.peek() == nullptr) continue;
    for (const Counter& result : series.peek()->results) ended += result.value();
  }
  const std::uint64_t begun = data.begun[index].value();
  if (begun != ended) {
    return "begun " + std::to_string(begun) + ", ended " + std::to_string(ended);
  }
  const std::uint64_t elided = data.elided[index].value();
  const std::uint64_t inserted = data.inserted[index].value();
  if (consumed + inserted == sent + elided) return "";
  return "client bytes " + std::to_string(consumed) + ", sent " + std::to_string(sent) +
         ", elided " + std::to_string(elided) + ", inserted " + std::to_string(inserted);
}

}  // namespace postern::testing
