// Random logins: clients that say anything, backends that say anything, on every kind of listener
// and pool. No password goes where there is no TLS, each command has one answer, each login one
// count.
#include <array>
#include <catch2/catch.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "support/for_every_split.h"
#include "unit/engine/imap_visit.h"

namespace postern::testing {
namespace {

constexpr std::array<std::string_view, 17> kClientSays = {
    "% LOGIN bob secret",
    "% LOGIN {3+}\r\nbob {6+}\r\nsecret",
    "% LOGIN bob {6}",
    "secret",
    "% AUTHENTICATE PLAIN AGJvYgBzZWNyZXQ=",
    "% AUTHENTICATE PLAIN",
    "AGJvYgBzZWNyZXQ=",
    "% AUTHENTICATE LOGIN",
    "c2VjcmV0",
    "% AUTHENTICATE XOAUTH2 dXNlcj1ib2IBYXV0aD1CZWFyZXIgc2VjcmV0AQE=",
    "% AUTHENTICATE OAUTHBEARER bixhPWJvYiwBYXV0aD1CZWFyZXIgc2VjcmV0AQE=",
    "*",
    "AQ==",
    "% NOOP",
    "% ID (\"x-originating-ip\" \"203.0.113.9\")",
    "% STARTTLS",
    "% CAPABILITY",
};
constexpr std::array<std::string_view, 20> kBackendSays = {
    "* OK hello",
    "* OK [CAPABILITY IMAP4rev1 ID SASL-IR STARTTLS AUTH=PLAIN AUTH=XOAUTH2] hello",
    "* OK [CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED AUTH=OAUTHBEARER] hello",
    "* PREAUTH hello",
    "* BYE no",
    "* OK [ALERT] %",
    "* CAPABILITY IMAP4rev1 STARTTLS ID AUTH=PLAIN AUTH=OAUTHBEARER",
    "* ID (\"name\" {1}\r\nx)",
    "postern0 OK done",
    "postern0 OK done",
    "postern0 OK done",
    "postern0 NO",
    "postern0 BAD",
    "postern1 OK [CAPABILITY IMAP4rev1 IDLE] in",
    "postern1 NO no",
    "postern1 BAD what",
    "+",
    "+ e30=",
    "+ no base64",
    "nonsense",
};

std::size_t Count(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++count;
  return count;
}

// How far the dialogues came, so that a test which says nothing is noticed.
struct Reached {
  int logged_in = 0, client_tls = 0, backend_tls = 0, challenged = 0, refused = 0, retried = 0;
};

class LoginDialogue {
 public:
  explicit LoginDialogue(std::uint64_t seed) : random_(seed) {
    ListenerPlan& listener = visit_.host.settings.listeners[0];
    listener.tls = static_cast<ListenerTls>(random_.Next(4));
    visit_.host.facts.secure = listener.tls == ListenerTls::kImplicit;
    visit_.host.facts.trusted = random_.Next(2) == 0;
    PoolPlan& pool = visit_.host.settings.pools[0];
    pool.tls = static_cast<PoolTls>(random_.Next(3));
    pool.forward_id = random_.Next(2) == 0;
    visit_.host.settings.limits.login_attempts = 3;
    visit_.Start();
  }

  void Play(Reached& reached) {
    for (int i = 0; i < 60 && !visit_.host.end && !visit_.host.logged_in; ++i) {
      Step();
      Collect();
    }
    if (!visit_.host.end && !visit_.host.logged_in) {
      visit_.Abandoned();
      visit_.host.end = FakeHost::End{CloseReason::kClientReset, EngineHost::Ending::kAbort};
    }
    CheckCounts();
    reached.logged_in += host().logged_in ? 1 : 0;
    for (const Side side : host().tls_started) {
      ++(side == Side::kClient ? reached.client_tls : reached.backend_tls);
    }
    reached.challenged += to_client_.find("+ e30=") != to_client_.npos ? 1 : 0;
    reached.refused += to_client_.find("[PRIVACYREQUIRED]") != to_client_.npos ? 1 : 0;
    reached.retried += host().rejections.empty() ? 0 : 1;
  }

 private:
  const FakeHost& host() const { return visit_.host; }
  bool MayLogIn() const {
    const ListenerTls tls = host().settings.listeners[0].tls;
    return host().facts.secure || (tls == ListenerTls::kNone && host().facts.trusted);
  }
  bool TlsOwed() const {
    return host().settings.pools[0].tls == PoolTls::kStarttls && !backend_secure_;
  }

  std::string Filled(std::string_view line, const std::string& with) {
    std::string text(line);
    if (const std::size_t mark = text.find('%'); mark != text.npos) text.replace(mark, 1, with);
    return text + "\r\n";
  }

  void Step() {
    const std::size_t dials = host().connects.size() + host().rejections.size();
    if (dials != dialled_) {
      dialled_ = dials;
      connected_ = backend_secure_ = false;
      if (random_.Next(12) == 0) return visit_.BackendFailed();
      connected_ = true;
      greeted_ = false;
      drops_ = host().drops;
      return visit_.BackendConnected();
    }
    connected_ = connected_ && host().drops == drops_;
    const auto starts = static_cast<std::size_t>(host().tls_started.size());
    if (starts != tls_started_) {
      tls_started_ = starts;
      const Side side = host().tls_started.back();
      backend_secure_ = side == Side::kBackend;
      return visit_.Secured(side);
    }
    if (connected_ && random_.Next(3) != 0) return SayAsBackend();
    const std::string tag = "t" + std::to_string(tags_.size());
    const std::string line = Filled(kClientSays[random_.Next(kClientSays.size())], tag);
    if (line.rfind(tag, 0) == 0) tags_.push_back(tag);
    visit_.Client(line);
  }

  void SayAsBackend() {
    if (random_.Next(25) == 0) {
      connected_ = false;
      return visit_.BackendEnd();
    }
    const std::string_view line =
        random_.Next(4) == 0 ? kBackendSays[random_.Next(kBackendSays.size())] : Sensible();
    visit_.Backend(Filled(line, TlsOwed() ? "said in plain text" : "said"));
    greeted_ = true;
  }
  // What a backend in its right mind says to the last it was sent.
  std::string_view Sensible() {
    constexpr std::array<std::string_view, 6> kToLogin = {
        "postern1 OK [CAPABILITY IMAP4rev1 IDLE] in",
        "postern1 OK in",
        "postern1 NO no",
        "+ e30=",
        "+ e30=",
        "+"};
    if (!greeted_) return kBackendSays[random_.Next(3)];
    if (last_sent_ == "postern0 CAPABILITY\r\n") {
      return "* CAPABILITY IMAP4rev1 STARTTLS ID AUTH=PLAIN AUTH=XOAUTH2 AUTH=OAUTHBEARER SASL-IR"
             "\r\npostern0 OK";
    }
    if (last_sent_.rfind("postern0 ", 0) == 0) return "postern0 OK";
    return kToLogin[random_.Next(kToLogin.size())];
  }

  void Collect() {
    to_client_ += visit_.host.TakeClient();
    const std::string sent = visit_.ToBackend();
    if (!sent.empty()) last_sent_ = sent;
    CHECK((MayLogIn() || host().connects.empty()));
    if (!TlsOwed()) return;
    const std::string allowed = "postern0 CAPABILITY\r\npostern0 STARTTLS\r\n";
    CHECK((sent.empty() || allowed.find(sent) != allowed.npos));
  }

  // Each login is in exactly one count, each command has at most one answer.
  void CheckCounts() {
    std::uint64_t logins = 0;
    for (const auto& mechanism : visit_.shard.data().logins[0]) {
      for (const Counter& result : mechanism) logins += result.value();
    }
    CHECK(logins == host().connects.size());
    const std::string said = "\r\n" + to_client_;
    for (const std::string& tag : tags_) {
      std::size_t answers = 0;
      for (const char* status : {" OK ", " NO ", " BAD "}) {
        answers += Count(said, "\r\n" + tag + status);
      }
      INFO(tag << " in " << Escaped(to_client_));
      CHECK(answers <= 1);
    }
    CHECK(said.find("plain text") == said.npos);
    CHECK(host().spoken_for.size() <= (host().facts.trusted ? 1u : 0u));
  }

  SplitRandom random_;
  ImapVisit visit_;
  std::string to_client_, last_sent_;
  std::vector<std::string> tags_;
  std::size_t dialled_ = 0, tls_started_ = 0;
  int drops_ = 0;
  bool connected_ = false, backend_secure_ = false, greeted_ = false;
};

TEST_CASE("Random IMAP logins keep their promises") {
  Reached reached;
  for (std::uint64_t seed = 0; seed < 4000; ++seed) {
    INFO("seed " << seed);
    LoginDialogue(seed).Play(reached);
  }
  CHECK(reached.logged_in > 100);
  CHECK(reached.client_tls > 100);
  CHECK(reached.backend_tls > 100);
  CHECK(reached.challenged > 20);
  CHECK(reached.refused > 100);
  CHECK(reached.retried > 100);
}

}  // namespace
}  // namespace postern::testing
