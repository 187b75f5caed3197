#include "postern/server/ctl.h"

#include <optional>
#include <ostream>

#include "postern/server/admin_api.h"
#include "server/ctl_gateway.h"
#include "server/ctl_show.h"
#include "server/ctl_text.h"

namespace postern {

const char kCtlHelp[] =
    "What changes something needs the token of admin.token_file, in the gateway's configuration "
    "and\n"
    "readable here; with it, sessions shows user names.\n"
    "\n"
    "Examples:\n"
    "  postern ctl status                          is all well? ten lines; exit status 1 if not\n"
    "  postern ctl sessions                        who is here, where, since when, doing what\n"
    "  postern ctl kick 5f1c09aa-0-17              end one session at its next command boundary\n"
    "  postern ctl drain legacy/mail1 --window 5m  no new sessions there; those it has leave one "
    "by\n"
    "                                              one over five minutes, between two commands\n"
    "  postern ctl backends                        watch it become empty\n"
    "  postern ctl undrain legacy/mail1            it takes sessions again\n"
    "  postern ctl reload                          as SIGHUP, and says whether it was applied\n"
    "  postern ctl --json sessions | jq ...        what the gateway said, as JSON\n"
    "\n"
    "Exit status: 0 done and well, 1 refused or not well, 2 the command line was not understood,\n"
    "3 the gateway cannot be reached.\n";

namespace {

using Verb = CtlRequest::Verb;

constexpr Duration kPatience = std::chrono::seconds(15);
constexpr Duration kReloadPatience = std::chrono::seconds(75);

bool Changes(Verb verb) {
  switch (verb) {
    case Verb::kSessions:
    case Verb::kBackends:
    case Verb::kStatus:
      return false;
    case Verb::kKick:
    case Verb::kDrain:
    case Verb::kUndrain:
    case Verb::kReload:
      return true;
  }
  return true;
}

std::string Target(const CtlRequest& request) {
  const std::string subject = QueryText(request.subject);
  switch (request.verb) {
    case Verb::kSessions:
      return "/api/v1/sessions";
    case Verb::kKick:
      return "/api/v1/kick?id=" + subject;
    case Verb::kBackends:
      return "/api/v1/backends";
    case Verb::kDrain:
      return "/api/v1/drain?backend=" + subject + "&window=" + QueryText(request.window);
    case Verb::kUndrain:
      return "/api/v1/undrain?backend=" + subject;
    case Verb::kReload:
      return "/api/v1/reload";
    case Verb::kStatus:
      return "/api/v1/status";
  }
  return {};
}

// The place, with the address that was named on the command line.
Result<GatewayPlace> Find(const CtlRequest& request) {
  Result<GatewayPlace> place = FindGateway(request.config);
  if (!request.address.empty()) {
    // Elsewhere there may be no configuration at all.
    if (!place.ok()) place = GatewayPlace();
    place.value().address = request.address;
  }
  return place;
}

int Unreachable(const std::string& where, const std::string& why, const std::string& hint,
                std::ostream& err) {
  err << "postern ctl: cannot reach the gateway" << where << ": " << SafeText(why) << '\n'
      << hint << '\n';
  return kCtlUnreachable;
}

// The answer for people; nothing when it is not understood. well: the exit status is 0.
Result<std::string> Show(const CtlRequest& request, const std::string& json, bool& well) {
  const std::string subject = SafeText(request.subject);
  switch (request.verb) {
    case Verb::kSessions:
      return ShowSessions(json);
    case Verb::kBackends:
      return ShowBackends(json);
    case Verb::kReload:
      return ShowReload(json);
    case Verb::kStatus: {
      Result<StatusShown> shown = ShowStatus(json);
      if (!shown.ok()) return shown.error();
      well = shown.value().well;
      return std::move(shown.value().text);
    }
    case Verb::kKick:
      return "kicked " + subject + ": it ends at its next command boundary\n";
    case Verb::kDrain:
      return "draining " + subject + ": it gets no new sessions, and those it has leave over " +
             SafeText(request.window) + "\n" + ShowNote(json) +
             "`postern ctl backends` shows how many are left\n";
    case Verb::kUndrain:
      return subject + " takes sessions again\n";
  }
  return Status::Error("unknown command");
}

// The raw answer says itself whether all is well.
bool IsWell(const CtlRequest& request, const std::string& json) {
  if (request.verb != Verb::kStatus) return true;
  const Result<StatusShown> shown = ShowStatus(json);
  return shown.ok() && shown.value().well;
}

int Print(const CtlRequest& request, const GatewayAnswer& answer, std::ostream& out,
          std::ostream& err) {
  const bool refused = answer.status != 200;
  if (request.json) {
    out << answer.body;
    return !refused && IsWell(request, answer.body) ? kCtlFine : kCtlRefused;
  }
  if (refused) {
    err << "postern ctl: " << ShowRefusal(answer.status, answer.body);
    return kCtlRefused;
  }
  bool well = true;
  const Result<std::string> shown = Show(request, answer.body, well);
  if (!shown.ok()) {
    err << "postern ctl: " << shown.error().message() << '\n';
    return kCtlRefused;
  }
  out << shown.value();
  return well ? kCtlFine : kCtlRefused;
}

}  // namespace

int RunCtl(const CtlRequest& request, std::ostream& out, std::ostream& err) {
  const Result<GatewayPlace> place = Find(request);
  if (!place.ok()) {
    return Unreachable("", place.error().message(),
                       "its address is read from the configuration: name that with -c, or the "
                       "address with --address",
                       err);
  }
  GatewayQuestion question;
  question.post = Changes(request.verb);
  question.target = Target(request);
  question.patience = request.verb == Verb::kReload ? kReloadPatience : kPatience;
  std::optional<Secret> token;
  if (!place.value().token_file.empty() && (question.post || request.verb == Verb::kSessions)) {
    Result<Secret> read = ReadAdminToken(place.value().token_file);
    if (read.ok()) {
      token = std::move(read.value());
      question.token = &*token;
    } else {
      err << "postern ctl: " << read.error().message() << '\n';
      if (question.post) return kCtlRefused;
    }
  }
  const Result<GatewayAnswer> answer = AskGateway(place.value().address, question);
  if (!answer.ok()) {
    return Unreachable(" at " + place.value().address, answer.error().message(),
                       "is it running? the address is admin.address of " + request.config +
                           "; after a change of it the gateway must be started anew",
                       err);
  }
  return Print(request, answer.value(), out, err);
}

}  // namespace postern
