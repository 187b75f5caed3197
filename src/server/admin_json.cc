#include "server/admin_json.h"

#include <algorithm>
#include <unordered_set>

#include "postern/base/text.h"

namespace postern {
namespace {

// A certificate with less left is a problem; it should have been renewed long before.
constexpr std::int64_t kWorryingDays = 7;
constexpr std::int64_t kDay = 24 * 60 * 60;
// Sentences of ours, with file names in them.
constexpr std::size_t kMostOfASentence = 4096;

// {"key":value,...}
class Object {
 public:
  Object& Json(std::string_view key, std::string_view value) {
    text_ += text_.empty() ? "{\"" : ",\"";
    text_.append(key).append("\":").append(value);
    return *this;
  }
  Object& Text(std::string_view key, std::string_view value) {
    return Json(key, JsonQuote(value, kMostOfASentence));
  }
  // No such key when it is empty.
  Object& TextIfAny(std::string_view key, std::string_view value) {
    return value.empty() ? *this : Text(key, value);
  }
  template <typename T>
  Object& Number(std::string_view key, T value) {
    return Json(key, std::to_string(value));
  }
  // Seconds with milliseconds.
  Object& Seconds(std::string_view key, Duration value) {
    const auto all = std::max<std::int64_t>(
        std::chrono::duration_cast<std::chrono::milliseconds>(value).count(), 0);
    const std::string part = std::to_string(1000 + all % 1000);
    return Json(key, std::to_string(all / 1000) + "." + part.substr(1));
  }
  std::string Take() { return text_.empty() ? "{}" : std::move(text_) + "}"; }

 private:
  std::string text_;
};

template <typename List, typename One>
std::string Array(const List& list, One one) {
  std::string text = "[";
  for (const auto& each : list) {
    if (text.size() > 1) text += ",";
    text += one(each);
  }
  return text + "]";
}

std::string TextsJson(const std::vector<std::string>& texts) {
  return Array(texts, [](const std::string& text) { return JsonQuote(text, kMostOfASentence); });
}

std::string_view StateName(SessionState state) {
  switch (state) {
    case SessionState::kHandshake:
      return "handshake";
    case SessionState::kLogin:
      return "login";
    case SessionState::kRelay:
      return "relay";
    case SessionState::kClosing:
      return "closing";
  }
  return "closing";
}

std::string SessionJson(const SessionInfo& session, bool users) {
  return Object()
      .Text("id", session.id)
      .Text("protocol", ProtocolName(session.protocol))
      .Text("state", StateName(session.state))
      .Text("listener", session.listener)
      .Text("client", session.client)
      .TextIfAny("user", users ? session.user : std::string())
      .TextIfAny("pool", session.pool)
      .TextIfAny("backend", session.backend)
      .TextIfAny("tls_version", session.tls_version)
      .TextIfAny("tls_cipher", session.tls_cipher)
      .Seconds("age_seconds", session.age)
      .Seconds("idle_seconds", session.idle)
      .TextIfAny("command", session.command)
      .Number("held_bytes", session.held)
      .TextIfAny("not_reading", session.not_reading)
      .Number("worker", session.worker)
      .Take();
}

std::string BackendJson(const BackendInfo& backend) {
  return Object()
      .Text("pool", backend.pool)
      .Text("backend", backend.name)
      .TextIfAny("imap", backend.imap)
      .TextIfAny("pop3", backend.pop3)
      .Text("state", backend.state)
      .Seconds("since_seconds", backend.since)
      .TextIfAny("reason", backend.reason)
      .Number("sessions", backend.sessions)
      .Take();
}

std::int64_t DaysLeft(const CertificateInfo& certificate, std::int64_t now) {
  const std::int64_t left = certificate.not_after - now;
  return left >= 0 ? left / kDay : -1;
}

std::string Named(const BackendInfo& backend) {
  std::string text = "backend " + backend.pool + "/" + backend.name + " is " + backend.state;
  if (!backend.reason.empty()) text += ": " + backend.reason;
  return text;
}

// A backend that is drained is what its operator wants.
std::vector<std::string> ProblemsOf(const StatusInfo& status, std::int64_t now) {
  std::vector<std::string> problems;
  if (!status.not_ready.empty()) problems.push_back("not ready: " + status.not_ready);
  if (!status.reload.reasons.empty()) {
    problems.push_back("the last reload was refused: " + status.reload.reasons.front());
  }
  for (const BackendInfo& backend : status.backends) {
    if (backend.state != "up" && backend.state != "draining") problems.push_back(Named(backend));
  }
  for (const CertificateInfo& certificate : status.certificates) {
    const std::int64_t days = DaysLeft(certificate, now);
    if (days >= kWorryingDays) continue;
    problems.push_back(
        "certificate " + certificate.name +
        (days < 0 ? " has expired"
                  : " expires in " + std::to_string(days) + (days == 1 ? " day" : " days")));
  }
  return problems;
}

std::string ReloadStateJson(const StatusInfo::Reload& reload) {
  if (reload.cause.empty()) return "{}";
  return Object()
      .Text("cause", reload.cause)
      .Json("applied", reload.reasons.empty() ? "true" : "false")
      .Seconds("ago_seconds", reload.ago)
      .Json("reasons", TextsJson(reload.reasons))
      .Take();
}

}  // namespace

std::string SessionsJson(std::vector<SessionInfo> sessions, bool users) {
  std::stable_sort(sessions.begin(), sessions.end(),
                   [](const SessionInfo& a, const SessionInfo& b) { return a.age > b.age; });
  // One that moved while it was described may be there twice.
  std::unordered_set<std::string> seen;
  std::erase_if(sessions,
                [&](const SessionInfo& session) { return !seen.insert(session.id).second; });
  const std::string list =
      Array(sessions, [users](const SessionInfo& session) { return SessionJson(session, users); });
  return Object().Json("users_shown", users ? "true" : "false").Json("sessions", list).Take();
}

std::string BackendsJson(const std::vector<BackendInfo>& backends) {
  return Object().Json("backends", Array(backends, BackendJson)).Take();
}

std::string StatusJson(const StatusInfo& status, std::int64_t now) {
  Object sessions;
  for (const SessionState state : {SessionState::kHandshake, SessionState::kLogin,
                                   SessionState::kRelay, SessionState::kClosing}) {
    sessions.Number(StateName(state), status.sessions[static_cast<std::size_t>(state)]);
  }
  const auto certificate = [now](const CertificateInfo& each) {
    return Object()
        .Text("name", each.name)
        .Number("not_after", each.not_after)
        .Number("days_left", DaysLeft(each, now))
        .Take();
  };
  return Object()
      .Text("version", status.version)
      .Text("name", status.name)
      .Seconds("uptime_seconds", status.uptime)
      .TextIfAny("not_ready", status.not_ready)
      .Number("generation", status.generation)
      .Json("reload", ReloadStateJson(status.reload))
      .Json("sessions", sessions.Take())
      .Number("max_sessions", status.max_sessions)
      .Json("backends", Array(status.backends, BackendJson))
      .Json("certificates", Array(status.certificates, certificate))
      .Number("log_dropped", status.log_dropped)
      .Json("problems", TextsJson(ProblemsOf(status, now)))
      .Take();
}

std::string ReloadJson(const ReloadOutcome& outcome) {
  Object object;
  const bool applied = outcome.reasons.empty();
  if (!applied) object.Text("error", "the configuration is refused; nothing has changed");
  return object.Json("applied", applied ? "true" : "false")
      .Number("generation", outcome.generation)
      .Json("reasons", TextsJson(outcome.reasons))
      .Json("notes", TextsJson(outcome.notes))
      .Take();
}

std::string DoneJson(std::string_view key, std::string_view what, std::string_view note) {
  return Object().Text(key, what).TextIfAny("note", note).Take();
}

std::string ErrorJson(std::string_view sentence) { return Object().Text("error", sentence).Take(); }

}  // namespace postern
