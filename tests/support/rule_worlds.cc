#include "support/rule_worlds.h"

#include <array>
#include <span>

#include "postern/base/check.h"
#include "postern/imap/command.h"
#include "postern/pop3/command.h"

namespace postern::testing {
namespace {

using namespace std::string_view_literals;

using Texts = std::span<const std::string_view>;

constexpr std::array kUsers{""sv,
                            "ann@legacy.example"sv,
                            "Ann@Legacy.Example"sv,
                            "bob@new.example"sv,
                            "ann"sv,
                            "x@y@legacy.example"sv,
                            "@legacy.example"sv,
                            "ann@"sv,
                            "a\xC3\xA9@x"sv,
                            "bob@sub.legacy.example"sv,
                            "A\xC3\x89@x"sv,
                            "legacyxexample"sv,
                            "\xC3"
                            "b@x"sv};
constexpr std::array kUserPatterns{".*@legacy\\.example"sv,
                                   "ann@.*"sv,
                                   "ann@legacy\\.example"sv,
                                   "[ab].*"sv,
                                   ".+@new\\.example"sv,
                                   "ANN@.*"sv,
                                   "(ann|bob)@.*"sv,
                                   ".*"sv,
                                   "a.{1,2}@x"sv,
                                   ".*\\.example"sv,
                                   "ann"sv,
                                   "a\xC3\xA9@x"sv,
                                   "[^@]+@[^@]+"sv,
                                   ".*@legacy.example"sv,
                                   "bob@(?:new|old)\\.example"sv,
                                   ".+"sv};
constexpr std::array kDomainPatterns{"legacy\\.example"sv,
                                     "LEGACY\\.example"sv,
                                     ".*\\.example"sv,
                                     "new.example"sv,
                                     "x"sv,
                                     "[lx].*"sv};
constexpr std::array kSnis{""sv, "imap.example"sv, "IMAP.Example"sv, "pop.example"sv};
constexpr std::array kSniPatterns{"imap\\.example"sv, ".*\\.example"sv, "(imap|pop)\\..*"sv};
constexpr std::array kCiphers{""sv, "TLS_AES_128_GCM_SHA256"sv, "TLS_RSA_WITH_AES_128_CBC_SHA"sv};
constexpr std::array kCipherPatterns{".*CBC.*"sv, "TLS_AES_.*"sv, "tls_aes_.*"sv, ".*_SHA"sv};
constexpr std::array kCerts{""sv, "CN=ann"sv, "CN=bob,O=x"sv};
constexpr std::array kCertPatterns{"CN=ann"sv, "CN=.*"sv, "CN=(ann|bob).*"sv};
constexpr std::array kIdNames{""sv, "Thunderbird"sv, "iPhone Mail"sv, "a\nb"sv};
constexpr std::array kIdVersions{""sv, "1.0"sv, "115.2"sv};
constexpr std::array kIdPatterns{"thunderbird"sv,     "Thunderbird.*"sv, "thunderbird/1\\..*"sv,
                                 "iphone mail 1.*"sv, ".*[0-9]"sv,       "a.b"sv};
constexpr std::array kMailboxes{
    "INBOX"sv,           "inbox"sv,        "Inbox/x"sv,      "Secret"sv,
    "secret"sv,          "Secret/child"sv, "Secret.child"sv, "Entw&APw-rfe"sv,
    "Entw\xC3\xBCrfe"sv, "Entw\xFCrfe"sv,  "Secret\xFF"sv,   ""sv,
    "Secret/"sv,         "//Secret"sv,     "&AFM-ecret"sv,   "Secretary"sv,
    "a/Secret"sv,        "Sec\nret"sv,     "Archive/2020"sv, "Archive\\2020\\x"sv,
    "inboxes"sv};
constexpr std::array kMailboxPatterns{
    "INBOX"sv,           "INBOX/.*"sv,  "Secret"sv,     "Secret.*"sv,         ".*"sv,
    "Entw\xC3\xBCrfe"sv, "Entw.rfe"sv,  "(?i)secret"sv, "Archive[/\\\\].*"sv, "Archive/.+"sv,
    ".*ret"sv,           ".*/Secret"sv, "[A-Z].*"sv,    "Sec.ret"sv,          "INBOX.*"sv,
    "Secret|INBOX"sv};
constexpr std::array kArguments{
    ""sv, "1:* (FLAGS)"sv, "1 +FLAGS (\\Deleted)"sv, "1"sv, "INBOX \xFF"sv, "\xC3\xBC"sv, "a\nb"sv};
constexpr std::array kArgumentPatterns{".*\\\\Deleted.*"sv, "1.*"sv, "1"sv,  "\xC3\xBC"sv,
                                       "INBOX ."sv,         ".*"sv,  "a.b"sv};
constexpr std::array kClients{"192.0.2.7"sv, "10.1.2.3"sv, "2001:db8::1"sv};
constexpr std::array kNetworks{"10.0.0.0/8"sv, "192.0.2.7"sv, "0.0.0.0/0"sv, "2001:db8::/32"sv};
constexpr std::array kWindows{"Mon-Fri 08:00-18:00"sv, "Sat,Sun"sv, "22:00-06:00 Europe/Berlin"sv};
constexpr std::array kVersions{"<1.2"sv, "1.3"sv, ">=1.2"sv, "none"sv};
constexpr std::array kSizes{">1KiB"sv, "<=10"sv, "0"sv};
constexpr std::array kListeners{"imaps"sv, "pop3s"sv};
constexpr std::array kPools{"legacy"sv, "new"sv};
constexpr std::array kProtocols{"imap"sv, "pop3"sv};
constexpr std::array kMechanisms{"PLAIN"sv, "login"sv, "USER"sv};
constexpr std::array kCommands{"SELECT"sv, "list"sv, "FETCH"sv, "APPEND"sv, "RENAME"sv,
                               "NOOP"sv,   "DELE"sv, "RETR"sv,  "STORE"sv,  "COPY"sv};
constexpr std::array kCapabilities{"IDLE"sv, "MOVE"sv, "QUOTA"sv};

// The values that conditions on a fact may have.
Texts ValuesOf(Fact fact) {
  static const std::array<Texts, kFactCount> values{
      kProtocols,        kListeners,      kNetworks,     kWindows,      kSniPatterns,
      kVersions,         kCipherPatterns, kCertPatterns, kUserPatterns, kDomainPatterns,
      kMechanisms,       kIdPatterns,     kPools,        kCommands,     kMailboxPatterns,
      kArgumentPatterns, kSizes};
  return values[static_cast<std::size_t>(fact)];
}

std::string_view One(Draw& draw, Texts texts) { return texts[draw.Below(texts.size())]; }

FactValue DrawValue(Draw& draw, Fact fact) {
  Result<FactValue> value = ParseFactValue(fact, One(draw, ValuesOf(fact)));
  POSTERN_CHECK(value.ok());
  return value.value();
}

std::vector<FactValue> DrawValues(Draw& draw, Fact fact) {
  std::vector<FactValue> values;
  do {
    values.push_back(DrawValue(draw, fact));
  } while (draw.OneIn(4) && values.size() < 4);
  return values;
}

std::vector<Condition> DrawConditions(Draw& draw, std::size_t count) {
  std::vector<Condition> conditions;
  std::uint32_t used = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t fact = draw.Below(kFactCount);
    if ((used >> fact & 1) != 0) continue;
    used |= 1u << fact;
    conditions.push_back({static_cast<Fact>(fact), DrawValues(draw, static_cast<Fact>(fact))});
  }
  return conditions;
}

// 2026-11-22, a Sunday, and the days behind it.
std::int64_t DrawTime(Draw& draw) {
  return 1'795'305'600 + static_cast<std::int64_t>(draw.Below(64)) * 9'000;
}

void DrawParameters(Draw& draw, Rule& rule) {
  rule.pool = One(draw, kPools);
  rule.to = "x@y";
  rule.minimum = static_cast<TlsVersion>(1 + draw.Below(4));
  rule.sessions = 1;
  rule.per = draw.OneIn(2) ? Rule::Per::kUser : Rule::Per::kClient;
  rule.delay = std::chrono::seconds(1 + draw.Below(16));
  if (rule.action != Action::kHide) return;
  if (draw.OneIn(2)) rule.capabilities.emplace_back(One(draw, kCapabilities));
  if (rule.capabilities.empty()) rule.mailboxes = DrawValues(draw, Fact::kMailbox);
}

Rule DrawRule(Draw& draw) {
  Rule rule;
  rule.name = "r";
  rule.action = static_cast<Action>(draw.Below(kActionCount));
  rule.conditions = DrawConditions(draw, draw.Below(4));
  if (draw.OneIn(3)) rule.unless = DrawConditions(draw, 1 + draw.Below(2));
  if (draw.OneIn(5)) rule.mode = Rule::Mode::kReport;
  if (draw.OneIn(6)) rule.share = static_cast<std::uint32_t>(1 + draw.Below(250) * 40);
  if (draw.OneIn(6)) {
    const std::int64_t until = draw.OneIn(3) ? 0 : DrawTime(draw);
    rule.exemptions.push_back({DrawValues(draw, Fact::kUser), until, "o"});
  }
  DrawParameters(draw, rule);
  return rule;
}

}  // namespace

std::size_t Draw::Below(std::size_t below) {
  if (bytes_.empty()) return 0;
  const auto value = static_cast<unsigned char>(bytes_.front());
  bytes_.remove_prefix(1);
  return value % below;
}

const RuleNames& WorldNames() {
  static const RuleNames names{{"imaps", "pop3s"}, {"legacy", "new"}};
  return names;
}

RuleBook DrawBook(Draw& draw, std::size_t most) {
  RuleBook book;
  const std::size_t count = 1 + draw.Below(most);
  for (std::size_t i = 0; i < count && !draw.empty(); ++i) {
    Rule rule = DrawRule(draw);
    if (CheckRule(rule).ok()) book.rules.push_back(std::move(rule));
  }
  return book;
}

SessionFacts DrawSession(Draw& draw) {
  SessionFacts facts;
  facts.protocol = draw.OneIn(3) ? Protocol::kPop3 : Protocol::kImap;
  facts.listener = static_cast<ListenerId>(draw.Below(2));
  const Result<Address> client = Address::FromParts(One(draw, kClients), 1234);
  if (!draw.OneIn(8)) facts.client = client.value();
  facts.time = DrawTime(draw);
  facts.sni = One(draw, kSnis);
  facts.tls_version = static_cast<TlsVersion>(draw.Below(5));
  facts.tls_cipher = One(draw, kCiphers);
  facts.client_cert = One(draw, kCerts);
  facts.user = One(draw, kUsers);
  if (!draw.OneIn(4)) facts.mechanism = static_cast<Mechanism>(draw.Below(kMechanismCount));
  facts.client_name = One(draw, kIdNames);
  facts.client_version = One(draw, kIdVersions);
  if (!draw.OneIn(3)) facts.pool = static_cast<PoolId>(draw.Below(2));
  return facts;
}

std::string_view DrawMailbox(Draw& draw) { return One(draw, kMailboxes); }

void DrawCommand(Draw& draw, Protocol protocol, DrawnCommand& out) {
  using K = imap::CommandKind;
  out = {};
  out.facts.time = DrawTime(draw);
  if (protocol == Protocol::kPop3) {
    out.facts.command = static_cast<std::uint8_t>(draw.Below(pop3::kCommandCount));
    const auto& traits = pop3::Traits(static_cast<pop3::CommandKind>(out.facts.command));
    if (traits.max_arguments > 0) out.facts.argument = One(draw, kArguments);
    return;
  }
  const auto kind = static_cast<K>(draw.Below(imap::kCommandCount));
  out.facts.command = static_cast<std::uint8_t>(kind);
  if (imap::Traits(kind).most > 0) out.facts.argument = One(draw, kArguments);
  constexpr std::array kNaming{K::kSelect, K::kList,   K::kAppend, K::kRename, K::kCopy,
                               K::kStatus, K::kNotify, K::kMove,   K::kReplace};
  for (const K naming : kNaming) {
    if (kind != naming) continue;
    for (std::size_t i = draw.Below(4); i > 0; --i) out.mailboxes.push_back(DrawMailbox(draw));
  }
  out.facts.mailboxes = out.mailboxes;
  if (kind == K::kAppend && draw.OneIn(2)) out.facts.size = draw.Below(256) * 16;
}

}  // namespace postern::testing
