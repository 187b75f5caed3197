#include "postern/pop3/framer.h"

#include <algorithm>

namespace postern::pop3 {
namespace {

using Kind = Frame::Kind;

bool Has(std::string_view text, char byte) { return text.find(byte) != text.npos; }

// A CR that something other than LF follows. A CR at the end may still become a CRLF.
bool HasBareCr(std::string_view text) {
  const std::size_t cr = text.find('\r');
  return cr != text.npos && cr + 1 != text.size();
}

// The line up to the limit; whoever comes first, end or offence, decides, so that the answer does
// not depend on how the bytes arrived. strict_cr: a bare CR is an offence.
Frame FrameLine(std::string_view in, std::size_t max_line, bool strict_cr, std::size_t& scanned) {
  const std::string_view window = in.substr(0, max_line);
  // One byte is looked at again: a CR at the end of what was there before.
  const std::size_t from = std::min(scanned == 0 ? 0 : scanned - 1, window.size());
  const std::size_t lf = window.find('\n', from);
  const bool ended = lf != window.npos;
  const std::string_view fresh = window.substr(from, ended ? lf - from : window.npos);
  if (Has(fresh, '\0') || (strict_cr && HasBareCr(fresh))) return {Kind::kMalformed, 0};
  if (ended) {
    if (lf == 0 || window[lf - 1] != '\r') return {Kind::kMalformed, 0};
    scanned = 0;
    return {Kind::kLine, lf + 1};
  }
  if (window.size() >= max_line) return {Kind::kTooLong, 0};
  scanned = window.size();
  return {};
}

// Message bodies are the bulk of all bytes, and nearly all of it is one of two things: base64,
// which holds no dot at all, and text, in which dots and line ends are both too frequent to stop at
// each.
constexpr std::size_t kBlock = 128;
constexpr std::size_t kText = 8 * kBlock;  // looked at as text once a dot was found

// Whether at one of kBlock places an LF has a dot behind it. A loop without a branch, which
// compilers turn into vector instructions.
bool MayHoldEnd(const char* place) {
  unsigned char found = 0;
  for (std::size_t i = 0; i < kBlock; ++i) {
    found = static_cast<unsigned char>(found | ((place[i] == '\n') & (place[i + 1] == '.')));
  }
  return found != 0;
}

// The first dot behind a CRLF in [from, to); to when there is none. Two bytes before from can be
// read.
std::size_t FindInText(std::string_view in, std::size_t from, std::size_t to) {
  for (std::size_t at = from; at < to;) {
    const std::size_t end = std::min(at + kBlock, to);
    if (end - at == kBlock && !MayHoldEnd(in.data() + at - 1)) {
      at = end;
      continue;
    }
    for (; at < end; ++at) {
      if (in[at] == '.' && in[at - 1] == '\n' && in[at - 2] == '\r') return at;
    }
  }
  return to;
}

// The first dot behind a CRLF, at from (at least 2) or later; npos when there is none.
std::size_t FindDot(std::string_view in, std::size_t from) {
  for (std::size_t at = in.find('.', from); at != in.npos; at = in.find('.', at)) {
    const std::size_t end = std::min(at + kText, in.size());
    at = FindInText(in, at, end);
    if (at != end) return at;
  }
  return in.npos;
}

}  // namespace

Frame CommandFramer::Next(std::string_view in, std::size_t max_line) {
  return FrameLine(in, max_line, true, scanned_);
}

Frame ReplyFramer::Next(std::string_view in, std::size_t max_line) {
  if (in.empty()) return {};
  return in_body() ? NextBody(in) : NextLine(in, max_line);
}

Frame ReplyFramer::NextLine(std::string_view in, std::size_t max_line) {
  return FrameLine(in, max_line, false, scanned_);
}

bool ReplyFramer::Step(char byte) {
  if (state_ == State::kDotCr && byte == '\n') {
    state_ = State::kStatus;
    return true;
  }
  if (byte == '\r') {
    state_ = state_ == State::kDot ? State::kDotCr : State::kCr;
  } else if (byte == '\n' && state_ == State::kCr) {
    state_ = State::kLineStart;
  } else if (byte == '.' && state_ == State::kLineStart) {
    state_ = State::kDot;
  } else {
    state_ = State::kText;
  }
  return false;
}

// Byte by byte go only the first two bytes and a dot that a cut has separated from what follows it.
Frame ReplyFramer::NextBody(std::string_view in) {
  std::size_t at = 0;
  while (at < in.size() && (at < 2 || state_ == State::kDot || state_ == State::kDotCr)) {
    if (Step(in[at++])) return {Kind::kBodyEnd, at};
  }
  if (at == in.size()) return {Kind::kBody, at};
  for (std::size_t dot = FindDot(in, at); dot != in.npos; dot = FindDot(in, dot + 1)) {
    const std::string_view tail = in.substr(dot + 1, 2);
    if (tail == "\r\n") {
      state_ = State::kStatus;
      return {Kind::kBodyEnd, dot + 3};
    }
    if (tail.empty() || tail == "\r") {
      state_ = tail.empty() ? State::kDot : State::kDotCr;
      return {Kind::kBody, in.size()};
    }
  }
  const bool line_start = in.ends_with("\r\n");
  state_ = line_start ? State::kLineStart : in.back() == '\r' ? State::kCr : State::kText;
  return {Kind::kBody, in.size()};
}

}  // namespace postern::pop3
