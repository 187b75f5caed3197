#include "postern/imap/response.h"

#include "postern/base/text.h"

namespace postern::imap {
namespace {

using Status = ResponseHead::Status;

Status StatusOf(std::string_view word) {
  switch (word.size()) {
    case 2:
      if (EqualsNoCase(word, "OK")) return Status::kOk;
      return EqualsNoCase(word, "NO") ? Status::kNo : Status::kNone;
    case 3:
      if (EqualsNoCase(word, "BAD")) return Status::kBad;
      return EqualsNoCase(word, "BYE") ? Status::kBye : Status::kNone;
    case 7:
      return EqualsNoCase(word, "PREAUTH") ? Status::kPreauth : Status::kNone;
    default:
      return Status::kNone;
  }
}

// Splits at the first space; the rest is empty when there is none.
std::string_view CutWord(std::string_view* rest) {
  const std::size_t space = rest->find(' ');
  const std::string_view word = rest->substr(0, space);
  *rest = space == std::string_view::npos ? std::string_view{} : rest->substr(space + 1);
  return word;
}

}  // namespace

ResponseHead ParseResponseHead(std::string_view line) {
  ResponseHead head;
  std::string_view rest = line;
  if (line.starts_with('+')) {
    head.kind = ResponseHead::Kind::kContinuation;
    rest.remove_prefix(1);
    if (rest.starts_with(' ')) rest.remove_prefix(1);
    head.text = rest;
    return head;
  }
  const std::string_view first = CutWord(&rest);
  if (first.empty()) return head;
  head.word = CutWord(&rest);
  head.text = rest;
  head.status = StatusOf(head.word);
  if (first == "*") {
    if (!head.word.empty()) head.kind = ResponseHead::Kind::kUntagged;
  } else if (head.status == Status::kOk || head.status == Status::kNo ||
             head.status == Status::kBad) {
    head.kind = ResponseHead::Kind::kTagged;
    head.tag = first;
  }
  if (head.status != Status::kNone && rest.starts_with('[')) {
    head.code = rest.substr(1, rest.find(']') - 1);
  }
  return head;
}

bool CodeIs(std::string_view code, std::string_view name) {
  return StartsWithNoCase(code, name) && (code.size() == name.size() || code[name.size()] == ' ');
}

}  // namespace postern::imap
