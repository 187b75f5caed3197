// The framing of POP3 written down a second time: slow, obvious, over a whole buffer, from RFC 1939
// §3. The fast framers must agree with it. Pure; for tests and fuzzers.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace postern::testing {

struct NaiveLines {
  std::vector<std::string_view> lines;  // without CRLF
  bool refused = false;                 // the law is broken, or no line end within the limit
  std::size_t size = 0;                 // bytes of all whole lines
};

// A client's bytes as command lines. strict_cr false: a status line may hold a CR.
inline NaiveLines NaiveCommandLines(std::string_view bytes, std::size_t max_line,
                                    bool strict_cr = true) {
  NaiveLines result;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const bool crlf = bytes[i] == '\r' && i + 1 < bytes.size() && bytes[i + 1] == '\n';
    const bool undecided = bytes[i] == '\r' && i + 1 == bytes.size();
    // The limit counts the CRLF; a byte in its last place that does not end the line is one too
    // many.
    const std::size_t place = i - begin + 1;
    if (bytes[i] == '\0' || bytes[i] == '\n') result.refused = true;
    if (bytes[i] == '\r' && !crlf && !undecided && strict_cr) result.refused = true;
    if (place >= max_line) result.refused = true;
    if (result.refused) return result;
    if (!crlf) continue;
    result.lines.push_back(bytes.substr(begin, i - begin));
    begin = i + 2;
    result.size = begin;
    ++i;
  }
  return result;
}

// The size of a body with its terminator; npos while the terminator is not there.
inline std::size_t NaiveBodySize(std::string_view bytes) {
  // The CRLF before the dot may be the one that ended the status line.
  const std::string with_line_end = "\r\n" + std::string(bytes);
  const std::size_t end = with_line_end.find("\r\n.\r\n");
  return end == std::string::npos ? std::string::npos : end + 3;
}

}  // namespace postern::testing
