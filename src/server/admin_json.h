// What the API answers, as JSON. Pure. What is empty or not known is left out.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "postern/server/admin_api.h"

namespace postern {

// Oldest first. Without users their names are left out.
std::string SessionsJson(std::vector<SessionInfo> sessions, bool users);
std::string BackendsJson(const std::vector<BackendInfo>& backends);
// now: seconds since 1970. What is not well is named in "problems".
std::string StatusJson(const StatusInfo& status, std::int64_t now);
// With an "error" when it was refused.
std::string ReloadJson(const ReloadOutcome& outcome);
// {"key":"what"}, and a note for the operator where there is one.
std::string DoneJson(std::string_view key, std::string_view what, std::string_view note);
std::string ErrorJson(std::string_view sentence);

}  // namespace postern
