// The routes of the API behind `postern ctl`: who may ask what, and the answers as JSON. What
// changes anything is a POST with the token; what is only looked at is a GET, and shows user names
// with the token alone. Main loop.
#pragma once

#include <functional>
#include <string_view>

#include "postern/server/admin_api.h"
#include "server/admin_http.h"

namespace postern {

inline constexpr std::string_view kApiRoot = "/api/v1/";

// Whether the request is one for the API.
bool IsApiRequest(const HttpRequest& request);
// Calls reply once, at once or on a later turn. api is used during the call only.
void AnswerApi(const HttpRequest& request, const AdminApi& api,
               std::function<void(HttpResponse)> reply);
// How long the answer to such a request may be waited for.
Duration ApiPatience(const HttpRequest& request);
// {"error": "..."}
HttpResponse ApiError(unsigned status, std::string_view sentence);

}  // namespace postern
