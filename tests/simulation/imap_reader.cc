#include "simulation/imap_reader.h"

#include <algorithm>

#include "postern/base/text.h"

namespace postern::testing {
namespace {

bool IsStatusLike(std::string_view response) {
  if (response.substr(0, 2) != "* ") return true;  // tagged, or a continuation
  for (const std::string_view word : {"OK ", "NO ", "BAD ", "BYE ", "PREAUTH "}) {
    if (response.substr(2, word.size()) == word) return true;
  }
  return false;
}

}  // namespace

std::optional<Mark> MarkAtEnd(std::string_view line) {
  if (line.empty() || line.back() != '}') return std::nullopt;
  const std::size_t open = line.rfind('{');
  if (open == line.npos) return std::nullopt;
  std::string_view digits = line.substr(open + 1, line.size() - open - 2);
  Mark mark;
  mark.plus = !digits.empty() && digits.back() == '+';
  if (mark.plus) digits.remove_suffix(1);
  if (digits.empty() || digits.size() > 18) return std::nullopt;
  for (const char c : digits) {
    if (c < '0' || c > '9') return std::nullopt;
    mark.size = mark.size * 10 + static_cast<std::uint64_t>(c - '0');
  }
  return mark;
}

std::string TagOf(std::string_view text) {
  return std::string(text.substr(0, text.find_first_of(" \r\n")));
}

std::string VerbOf(std::string_view text) {
  std::string verb;
  std::size_t at = text.find(' ');
  for (int word = 0; word < 2 && at != text.npos; ++word) {
    const std::size_t end = text.find_first_of(" \r\n", at + 1);
    verb = ToUpper(text.substr(at + 1, end == text.npos ? text.npos : end - at - 1));
    if (verb != "UID") break;
    at = end;
  }
  return verb;
}

std::optional<std::string> ResponseReader::Next() {
  while (true) {
    const std::size_t end = bytes_.find("\r\n", std::max(line_, scan_));
    if (end == bytes_.npos) {
      scan_ = bytes_.empty() ? 0 : bytes_.size() - 1;
      return std::nullopt;
    }
    const std::string_view line = std::string_view(bytes_).substr(line_, end - line_);
    const std::optional<Mark> mark = MarkAtEnd(line);
    if (!mark || IsStatusLike(bytes_)) {
      std::string response = bytes_.substr(0, end + 2);
      bytes_.erase(0, end + 2);
      line_ = scan_ = 0;
      return response;
    }
    if (bytes_.size() < end + 2 + mark->size) {
      scan_ = end;
      return std::nullopt;
    }
    line_ = end + 2 + static_cast<std::size_t>(mark->size);
  }
}

CommandReader::Event CommandReader::Next() {
  if (over_) text_.clear();
  over_ = false;
  if (left_ > 0) {
    const std::size_t size =
        static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes_.size()));
    text_.append(bytes_, 0, size);
    bytes_.erase(0, size);
    left_ -= size;
    if (left_ > 0) return Event::kNone;
  }
  const std::size_t end = bytes_.find("\r\n");
  if (end == bytes_.npos) return Event::kNone;
  const std::string line = bytes_.substr(0, end);
  text_.append(line).append("\r\n");
  bytes_.erase(0, end + 2);
  const std::optional<Mark> mark = MarkAtEnd(line);
  if (!mark) {
    over_ = true;
    return Event::kCommand;
  }
  mark_ = *mark;
  left_ = mark->size;
  return Event::kMark;
}

void CommandReader::Refuse() {
  left_ = 0;
  over_ = true;
}

}  // namespace postern::testing
