#include "engine/head_reader.h"

#include <algorithm>

#include "postern/base/secret.h"
#include "postern/base/text.h"
#include "postern/engine/limits.h"

namespace postern {

using imap::CommandKind;
using imap::CommandStart;
using imap::CommandTraits;
using imap::Literals;
using imap::Shape;

namespace {

// Whether a command that is not in the table is one of the trusted verbs, on a line of which every
// parser thinks the same; that quotes and parentheses balance is the scanner's to say.
bool IsTrusted(std::string_view line, const CommandStart& start,
               std::span<const std::string> trusted) {
  const std::size_t verb = start.tag.size() + 1;
  const std::string_view name = line.substr(verb, start.arguments - verb);
  const bool named = std::any_of(trusted.begin(), trusted.end(), [name](const std::string& one) {
    return EqualsNoCase(one, name);
  });
  return named && std::all_of(line.begin(), line.end(),
                              [](char c) { return c >= ' ' && c < '\x7f' && c != '{'; });
}

}  // namespace

HeadReader::Step HeadReader::First(std::string_view line, const imap::CommandSet& known,
                                   const imap::AppendForms& forms,
                                   std::span<const std::string> trusted) {
  const std::size_t length = imap::TrimmedLength(line);
  trimmed_ = line.size() - length;
  scanner_ = imap::HeadScanner(max_depth_);
  forms_ = forms;
  message_argument_ = -1;
  start_ = imap::ParseCommandStart(line.substr(0, length), kMaxTag);
  known_ = known[static_cast<std::size_t>(start_.kind)];
  if (start_.verdict != CommandStart::Verdict::kGood) {
    imap::LiteralMark mark;
    if (imap::ReadLineEnd(line, &mark) != imap::LineEnd::kPlain) return Step::kDoubt;
    return Complain(start_.tag.empty() ? "a command begins with a tag" : "a command has a name");
  }
  if (start_.kind == CommandKind::kOther && !trusted.empty()) {
    known_ = IsTrusted(line.substr(0, length), start_, trusted);
  }
  return Judge(line, start_.arguments, false);
}

HeadReader::Step HeadReader::Next(std::string_view line) {
  trimmed_ += line.size() - imap::TrimmedLength(line);
  const Step step = Judge(line, 0, true);
  const bool goes_on = step == Step::kGather || step == Step::kStream;
  return goes_on && text_.size() > kMaxHead ? Step::kDoubt : step;
}

// line with its trailing spaces; what is judged begins at from.
HeadReader::Step HeadReader::Judge(std::string_view line, std::size_t from, bool after_literal) {
  const std::size_t length = imap::TrimmedLength(line);
  const CommandTraits& traits = imap::Traits(start_.kind);
  // Spaces behind a brace mark: trimming them would make a mark of what was none.
  imap::LiteralMark ignored;
  if (length != line.size() && imap::ReadLineEnd(line, &ignored) != imap::LineEnd::kPlain) {
    return Step::kDoubt;
  }
  const std::string_view part =
      length < from ? std::string_view{} : line.substr(from, length - from);
  const Shape shape = scanner_.Scan(part, after_literal);
  if (shape == Shape::kDoubt) return Step::kDoubt;
  if (scanner_.literal()) {
    mark_ = *scanner_.literal();
    const Step step = known_ ? JudgeMark(traits) : Step::kDoubt;
    if (step == Step::kGather || step == Step::kStream) Keep(line.substr(0, length), true);
    return text_.size() + mark_.size > kMaxHead && step == Step::kGather ? Step::kDoubt : step;
  }
  if (shape == Shape::kClumsy) return Complain("these arguments cannot be read");
  if (!known_) return Complain("this command is not known here");
  if (!CountFits(traits)) return Complain("this command takes other arguments");
  if (after_literal) Keep(line.substr(0, length), false);
  return Step::kDone;
}

HeadReader::Step HeadReader::JudgeMark(const CommandTraits& traits) {
  const int argument = scanner_.literal_argument();
  const bool listed = !scanner_.literal_in_list() && argument < 8 &&
                      (traits.literal_arguments >> argument & 1) != 0;
  bool gather = false;
  switch (traits.literals) {
    case Literals::kNone:
      break;
    case Literals::kMailbox:
      gather = listed;
      break;
    case Literals::kAnywhere:
      gather = true;
      break;
    case Literals::kStreamed:
      if (argument >= traits.streamed_from) return JudgeStreamed();
      gather = listed;
      break;
  }
  if (!gather || mark_.binary) return Step::kDoubt;
  return mark_.size > kMaxGatheredLiteral ? Step::kTooBig : Step::kGather;
}

// A literal of a message or a value: only in a form that the backend said it knows.
HeadReader::Step HeadReader::JudgeStreamed() {
  if (mark_.binary && !forms_.binary) return Step::kDoubt;
  const bool listed = scanner_.literal_in_list();
  if (start_.kind == CommandKind::kSetmetadata) return listed ? Step::kStream : Step::kDoubt;
  if (listed && !forms_.catenate && !(mark_.binary && forms_.utf8)) return Step::kDoubt;
  const bool another = message_argument_ >= 0 && scanner_.literal_argument() != message_argument_;
  const bool several = forms_.several && start_.kind == CommandKind::kAppend;
  if (another && !several) return Step::kDoubt;
  message_argument_ = scanner_.literal_argument();
  return Step::kStream;
}

bool HeadReader::CountFits(const CommandTraits& traits) const {
  const int count = scanner_.arguments();
  // UID EXPUNGE has a set where EXPUNGE has nothing (RFC 4315 §2.1).
  if (start_.kind == CommandKind::kExpunge) return count == (start_.uid ? 1 : 0);
  return count >= traits.least && (traits.most == imap::kMany || count <= traits.most);
}

HeadReader::Step HeadReader::Complain(std::string_view text) {
  complaint_ = text;
  return Step::kClumsy;
}

void HeadReader::Keep(std::string_view line, bool with_mark) {
  if (tag_.empty()) tag_.assign(start_.tag);
  if (with_mark && !mark_.synchronising) {
    // `{n+}` goes out as `{n}` (DESIGN 2.2).
    AppendSecret(text_, line.substr(0, line.size() - 2));
    AppendSecret(text_, "}");
    ++trimmed_;
  } else {
    AppendSecret(text_, line);
  }
  AppendSecret(text_, "\r\n");
  if (with_mark) stops_.push_back(text_.size());
}

bool HeadReader::Literal(std::string_view piece) {
  AppendSecret(text_, piece);
  return piece.find('\0') == std::string_view::npos;
}

void HeadReader::ReplaceVerb(std::string_view verb) {
  const std::size_t begin = tag_.size() + 1;
  const std::size_t end = begin + verb.size();
  text_.replace(begin, start_.arguments - begin, verb);
  for (std::size_t& stop : stops_) stop = stop - start_.arguments + end;
  start_.arguments = end;
  verb_replaced_ = true;
}

void HeadReader::TextSent() {
  Wipe(text_);
  text_.shrink_to_fit();
  stops_.clear();
  stops_.shrink_to_fit();
}

void HeadReader::Reset() {
  if (gathered()) TextSent();
  tag_.clear();
  start_ = {};
  trimmed_ = 0;
  verb_replaced_ = false;
}

}  // namespace postern
