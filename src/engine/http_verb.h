// Whether the first bytes of a mail session are an HTTP request: browsers made to attack mail
// servers (SECURITY T-TLS-4). Pure.
#pragma once

#include <algorithm>
#include <array>
#include <string_view>

#include "postern/base/text.h"

namespace postern {

// line: a line or the beginning of one.
inline bool BeginsLikeHttp(std::string_view line) {
  constexpr std::array<std::string_view, 10> kBeginnings = {
      "GET ",   "POST ",  "HEAD ",    "PUT ",     "DELETE ",
      "PATCH ", "TRACE ", "OPTIONS ", "CONNECT ", "HOST:"};
  return std::any_of(kBeginnings.begin(), kBeginnings.end(), [line](std::string_view beginning) {
    return StartsWithNoCase(line, beginning);
  });
}

}  // namespace postern
