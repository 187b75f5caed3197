#include "server/admin_routes.h"

#include <algorithm>
#include <ctime>
#include <string>
#include <vector>

#include "postern/base/text.h"
#include "server/admin_json.h"
#include "server/config_values.h"

namespace postern {
namespace {

using Reply = std::function<void(HttpResponse)>;
using Method = HttpRequest::Method;

constexpr Duration kPatience = std::chrono::seconds(10);
// Files are read, names looked up, and the rules' own tests run.
constexpr Duration kReloadPatience = std::chrono::seconds(60);
constexpr Duration kWindow = std::chrono::seconds(30);
constexpr Duration kLongestWindow = std::chrono::hours(1);

HttpResponse JsonResponse(std::string json, unsigned status = 200) {
  HttpResponse response;
  response.status = status;
  response.content_type = "application/json";
  response.body = std::move(json) + "\n";
  return response;
}

// ---- who asks

enum class Caller { kNobody, kOperator, kWrong };

// In a time that does not tell how much of it was right.
bool SameSecret(std::string_view given, std::string_view wanted) {
  unsigned difference = given.size() == wanted.size() ? 0 : 1;
  for (std::size_t i = 0; i < given.size(); ++i) {
    const char other = wanted.empty() ? '\0' : wanted[i % wanted.size()];
    difference |= static_cast<unsigned char>(given[i] ^ other);
  }
  return difference == 0;
}

Caller CallerOf(const HttpRequest& request, const AdminApi& api) {
  const Secret& token = api.token();
  if (request.bearer.empty() || token.empty()) return Caller::kNobody;
  return SameSecret(request.bearer.Reveal(), token.Reveal()) ? Caller::kOperator : Caller::kWrong;
}

HttpResponse WrongToken() {
  return ApiError(401, "this is not the token that admin.token_file holds");
}

// Whether the request may change something; else it is answered.
bool MayChange(const HttpRequest& request, const AdminApi& api, const Reply& reply) {
  if (request.has_origin) {
    reply(ApiError(403,
                   "this comes from a page in a browser (Origin); such requests change nothing"));
  } else if (api.token().empty()) {
    reply(ApiError(403,
                   "nothing can be changed without a token; set admin.token_file in the "
                   "configuration and reload it with SIGHUP"));
  } else if (CallerOf(request, api) == Caller::kWrong) {
    reply(WrongToken());
  } else if (CallerOf(request, api) == Caller::kNobody) {
    reply(ApiError(401,
                   "this needs the header Authorization: Bearer and the content of "
                   "admin.token_file"));
  } else {
    return true;
  }
  return false;
}

// ---- what is asked

void Sessions(const HttpRequest& request, const AdminApi& api, const Reply& reply) {
  const Caller caller = CallerOf(request, api);
  if (caller == Caller::kWrong) return reply(WrongToken());
  api.sessions([reply, users = caller == Caller::kOperator](std::vector<SessionInfo> sessions) {
    reply(JsonResponse(SessionsJson(std::move(sessions), users)));
  });
}

void Backends(const HttpRequest&, const AdminApi& api, const Reply& reply) {
  reply(JsonResponse(BackendsJson(api.backends())));
}

void ShowStatus(const HttpRequest&, const AdminApi& api, const Reply& reply) {
  reply(JsonResponse(StatusJson(api.status(), std::time(nullptr))));
}

void Kick(const HttpRequest& request, const AdminApi& api, const Reply& reply) {
  const std::string id = request.Parameter("id");
  if (id.empty()) return reply(ApiError(400, "which session? say ?id=ID"));
  api.kick(id, [reply, id](bool found) {
    if (found) return reply(JsonResponse(DoneJson("kicked", id, {})));
    reply(ApiError(404, "there is no session " + id + "; GET sessions lists them"));
  });
}

struct BackendName {
  std::string pool;
  std::string backend;
};

// Nothing when there is no such backend: then the request is answered.
std::optional<BackendName> WantedBackend(const HttpRequest& request, const AdminApi& api,
                                         const Reply& reply) {
  const std::string wanted = request.Parameter("backend");
  if (wanted.empty()) {
    reply(ApiError(400, "which backend? say ?backend=POOL/BACKEND"));
    return std::nullopt;
  }
  std::vector<std::string> names;
  std::string alone;  // it was named without its pool
  for (const BackendInfo& backend : api.backends()) {
    names.push_back(backend.pool + "/" + backend.name);
    if (names.back() == wanted) return BackendName{backend.pool, backend.name};
    if (backend.name == wanted) alone = names.back();
  }
  const std::string near = alone.empty() ? std::string(NearestName(wanted, names)) : alone;
  reply(ApiError(
      404, "there is no backend " + wanted +
               (near.empty() ? "; GET backends lists them" : "; did you mean " + near + "?")));
  return std::nullopt;
}

// How draining and undraining end.
std::function<void(const Status&)> Done(const Reply& reply, std::string key,
                                        const BackendName& name, std::string note) {
  return [reply, key = std::move(key), name = name.pool + "/" + name.backend,
          note = std::move(note)](const Status& status) {
    if (!status.ok()) return reply(ApiError(409, status.message()));
    reply(JsonResponse(DoneJson(key, name, note)));
  };
}

// What an operator should know before the last one goes.
std::string NoteOfDraining(const AdminApi& api, const BackendName& name) {
  for (const BackendInfo& other : api.backends()) {
    if (other.pool == name.pool && other.name != name.backend && other.state == "up") return {};
  }
  return "no other backend of pool " + name.pool +
         " is up: meanwhile its logins hear that this is temporary";
}

void Drain(const HttpRequest& request, const AdminApi& api, const Reply& reply) {
  const std::string text = request.Parameter("window");
  const Result<Duration> window = text.empty() ? Result<Duration>(kWindow) : ParseDuration(text);
  if (!window.ok()) return reply(ApiError(400, "window: " + window.error().message()));
  if (window.value() > kLongestWindow) {
    return reply(ApiError(400, "window: too long; must be at most \"1h\""));
  }
  const std::optional<BackendName> name = WantedBackend(request, api, reply);
  if (!name) return;
  api.drain(name->pool, name->backend, window.value(),
            Done(reply, "draining", *name, NoteOfDraining(api, *name)));
}

void Undrain(const HttpRequest& request, const AdminApi& api, const Reply& reply) {
  const std::optional<BackendName> name = WantedBackend(request, api, reply);
  if (!name) return;
  api.undrain(name->pool, name->backend, Done(reply, "undrained", *name, {}));
}

void Reload(const HttpRequest&, const AdminApi& api, const Reply& reply) {
  api.reload([reply](const ReloadOutcome& outcome) {
    reply(JsonResponse(ReloadJson(outcome), outcome.reasons.empty() ? 200 : 409));
  });
}

struct Route {
  std::string_view name;
  bool changes;  // by POST and with the token; else by GET
  void (*answer)(const HttpRequest&, const AdminApi&, const Reply&);
};

constexpr Route kRoutes[] = {
    {"sessions", false, Sessions}, {"backends", false, Backends}, {"status", false, ShowStatus},
    {"kick", true, Kick},          {"drain", true, Drain},        {"undrain", true, Undrain},
    {"reload", true, Reload},
};

HttpResponse NotFound() {
  return ApiError(404,
                  "there are sessions, backends and status (GET), kick, drain, undrain and reload "
                  "(POST) under /api/v1/");
}

HttpResponse WrongMethod(const Route& route) {
  HttpResponse response =
      ApiError(405, std::string(route.name) + (route.changes ? " wants POST" : " wants GET"));
  response.allow = route.changes ? "POST" : "GET, HEAD";
  return response;
}

}  // namespace

bool IsApiRequest(const HttpRequest& request) { return request.path.rfind("/api/", 0) == 0; }

void AnswerApi(const HttpRequest& request, const AdminApi& api, Reply reply) {
  const std::string_view path = request.path;
  const std::string_view name =
      path.rfind(kApiRoot, 0) == 0 ? path.substr(kApiRoot.size()) : std::string_view();
  const auto* const route = std::find_if(std::begin(kRoutes), std::end(kRoutes),
                                         [&](const Route& each) { return each.name == name; });
  if (route == std::end(kRoutes) || !api.status) return reply(NotFound());
  const bool looks = request.method == Method::kGet || request.method == Method::kHead;
  const bool right = route->changes ? request.method == Method::kPost : looks;
  if (!right) return reply(WrongMethod(*route));
  if (route->changes && !MayChange(request, api, reply)) return;
  route->answer(request, api, reply);
}

Duration ApiPatience(const HttpRequest& request) {
  return request.path == std::string(kApiRoot) + "reload" ? kReloadPatience : kPatience;
}

HttpResponse ApiError(unsigned status, std::string_view sentence) {
  return JsonResponse(ErrorJson(sentence), status);
}

}  // namespace postern
