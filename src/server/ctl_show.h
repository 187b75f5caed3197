// The gateway's answers, read from JSON and made readable. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "postern/base/status.h"

namespace postern {

// An error when the text is not the JSON that is expected.
Result<std::string> ShowSessions(std::string_view json);
Result<std::string> ShowBackends(std::string_view json);
struct StatusShown {
  std::string text;  // at most ten lines
  bool well = true;
};
Result<StatusShown> ShowStatus(std::string_view json);
// What was refused, and every reason, a line each.
std::string ShowRefusal(unsigned status, std::string_view json);
// The note that comes with an answer, as a line; empty: there is none.
std::string ShowNote(std::string_view json);
Result<std::string> ShowReload(std::string_view json);

}  // namespace postern
