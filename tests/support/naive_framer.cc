#include "support/naive_framer.h"

#include <cstdint>
#include <string>

namespace postern::testing {
namespace {

using Kind = NaiveCommand::Kind;

constexpr int kDepth = 32;

// A literal in the text of a command, in the place of its mark.
constexpr char kLiteralHere = '\1';

bool IsDigits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == text.npos;
}

// The length of the line at the front without CRLF; -1: no end yet; -2: NUL, bare CR or bare LF.
long LineLength(std::string_view bytes, bool bare_cr_is_text) {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (bytes[i] == '\0') return -2;
    if (bytes[i] == '\n') return -2;
    if (bytes[i] != '\r') continue;
    if (i + 1 == bytes.size()) return -1;
    if (bytes[i + 1] == '\n') return static_cast<long>(i);
    if (!bare_cr_is_text) return -2;
  }
  return -1;
}

// What stands at a line's end: nothing, a literal's mark, or what some parser might take for one.
struct End {
  enum { kNone, kMark, kStrange } what = kNone;
  std::size_t size = 0;    // of the literal
  std::size_t begins = 0;  // of the mark in the line
  bool plus = false;
};

End EndOf(std::string_view line) {
  const std::string_view trimmed = line.substr(0, line.find_last_not_of(' ') + 1);
  const std::size_t open = trimmed.rfind('{');
  if (trimmed.empty() || trimmed.back() != '}' || open == trimmed.npos) return {};
  std::string_view inside = trimmed.substr(open + 1, trimmed.size() - open - 2);
  if (inside.find_first_not_of("0123456789+- ") != inside.npos) return {};
  End end;
  end.what = End::kStrange;
  end.begins = open;
  end.plus = !inside.empty() && inside.back() == '+';
  if (end.plus) inside.remove_suffix(1);
  const bool number =
      IsDigits(inside) && (inside == "0" || inside[0] != '0') && inside.size() <= 10;
  if (!number || trimmed.size() != line.size()) return end;
  const std::uint64_t size = std::stoull(std::string(inside));
  if (size <= 0xFFFFFFFFu) {
    end.what = End::kMark;
    end.size = static_cast<std::size_t>(size);
  }
  return end;
}

// A recursive reader of the arguments of a command, with kLiteralHere for each literal.
class Grammar {
 public:
  explicit Grammar(std::string_view text) : text_(text) {}

  // The first thing that is wrong decides.
  Kind Read() {
    while (at_ < text_.size() && verdict_ == Kind::kGood) {
      if (text_[at_] != ' ') return Kind::kClumsy;
      ++at_;
      Item(0);
      ++arguments_;
    }
    return verdict_;
  }
  int arguments() const { return arguments_; }

 private:
  bool Atom(std::size_t i) const {
    return i < text_.size() && text_[i] > ' ' && text_[i] < 0x7f &&
           std::string_view("(){\"").find(text_[i]) == std::string_view::npos;
  }
  void Wrong(Kind kind) {
    if (verdict_ == Kind::kGood) verdict_ = kind;
  }
  void Item(int depth) {
    if (at_ == text_.size()) return Wrong(Kind::kClumsy);
    const char first = text_[at_];
    if (first == '{') return Wrong(Kind::kDoubt);
    if (Atom(at_)) {
      while (Atom(at_)) ++at_;
      return Behind();
    }
    if (first == '(') {
      List(depth + 1);
    } else if (first == '"') {
      Quoted();
    } else if (first == kLiteralHere) {
      ++at_;
    } else {
      return Wrong(Kind::kClumsy);
    }
    if (verdict_ == Kind::kGood && at_ < text_.size() && text_[at_] == ']') {
      while (Atom(at_)) ++at_;
      return Behind();
    }
    Behind(depth > 0);
  }
  // Behind an item: a space, a closing parenthesis of the list, the end; in lists another list.
  void Behind(bool list_may_follow = false) {
    if (verdict_ != Kind::kGood || at_ == text_.size()) return;
    const char next = text_[at_];
    if (next == ' ' || next == ')' || (next == '(' && list_may_follow)) return;
    Wrong(next == '{' ? Kind::kDoubt : Kind::kClumsy);
  }
  void List(int depth) {
    if (depth > kDepth) return Wrong(Kind::kClumsy);
    ++at_;
    while (verdict_ == Kind::kGood) {
      while (at_ < text_.size() && text_[at_] == ' ') ++at_;
      if (at_ == text_.size()) return Wrong(Kind::kClumsy);
      if (text_[at_] == ')') {
        ++at_;
        return;
      }
      Item(depth);
    }
  }
  void Quoted() {
    for (++at_; at_ < text_.size(); ++at_) {
      if (text_[at_] == '"') {
        ++at_;
        return;
      }
      if (text_[at_] != '\\') continue;
      ++at_;
      if (at_ == text_.size()) return Wrong(Kind::kDoubt);
      if (text_[at_] != '"' && text_[at_] != '\\') return Wrong(Kind::kClumsy);
    }
    Wrong(Kind::kClumsy);
  }

  std::string_view text_;
  std::size_t at_ = 0;
  int arguments_ = 0;
  Kind verdict_ = Kind::kGood;
};

// Whether the text so far, which ends in a literal, can go on to be a command.
bool CanGoOn(std::string text, int* depth) {
  *depth = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (quoted && text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      quoted = !quoted;
    } else if (!quoted) {
      *depth += text[i] == '(' ? 1 : text[i] == ')' ? -1 : 0;
    }
  }
  const char before = text.size() < 2 ? '\0' : text[text.size() - 2];
  if (quoted || *depth < 0 || (before != ' ' && before != '(')) return false;
  return Grammar(text + std::string(static_cast<std::size_t>(*depth), ')')).Read() == Kind::kGood;
}

std::string Upper(std::string text) {
  for (char& c : text) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  return text;
}

// One command from the front of bytes; end 0 and kGood: not whole.
class OneCommand {
 public:
  explicit OneCommand(std::string_view bytes) : bytes_(bytes) {}

  NaiveCommand Read() {
    for (bool first = true;; first = false) {
      const long length = LineLength(bytes_.substr(at_), false);
      if (length == -1) return {Kind::kGood, 0};
      if (length == -2) return {Kind::kDoubt, 0};
      const std::string_view line = bytes_.substr(at_, static_cast<std::size_t>(length));
      at_ += line.size() + 2;
      const End end = EndOf(line);
      if (end.what == End::kStrange) return {Kind::kDoubt, 0};
      std::string_view part = line;
      if (first && !Start(&part))
        return {end.what == End::kNone ? Kind::kClumsy : Kind::kDoubt, at_};
      int depth = 0;
      const bool closes = !first && part.substr(0, 1) == ")" && CanGoOn(text_, &depth) && depth > 0;
      if (!first && !part.empty() && part[0] != ' ' && !closes) return {Kind::kDoubt, 0};
      if (end.what == End::kNone) return Last(part);
      text_.append(part.substr(0, part.size() - (line.size() - end.begins)));
      text_.push_back(kLiteralHere);
      if (!CanGoOn(text_, &depth) || !MayStand(depth) || end.size > 4096) return {Kind::kDoubt, 0};
      if (bytes_.size() - at_ < end.size) return Short(bytes_.substr(at_));
      if (bytes_.substr(at_, end.size).find('\0') != bytes_.npos) return {Kind::kDoubt, 0};
      at_ += end.size;
    }
  }

 private:
  static NaiveCommand Short(std::string_view literal) {
    return {literal.find('\0') == literal.npos ? Kind::kGood : Kind::kDoubt, 0};
  }
  // Tag and verb; leaves the arguments in part.
  bool Start(std::string_view* part) {
    const std::size_t space = part->find(' ');
    const std::string_view tag = part->substr(0, space);
    if (tag.empty() || space == part->npos) return false;
    for (const char c : tag) {
      if (c <= ' ' || c >= 0x7f ||
          std::string_view("(){%*\"\\+").find(c) != std::string_view::npos) {
        return false;
      }
    }
    const std::size_t end = std::min(part->find(' ', space + 1), part->size());
    verb_ = Upper(std::string(part->substr(space + 1, end - space - 1)));
    if (verb_.empty() ||
        verb_.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._") != std::string::npos) {
      return false;
    }
    part->remove_prefix(end);
    return true;
  }
  bool MayStand(int depth) const {
    if (verb_ == "SEARCH") return true;
    const bool first_argument = text_ == std::string(" ") + kLiteralHere;
    return verb_ == "CREATE" && depth == 0 && first_argument;
  }
  // The last line of the command: no literal behind it.
  NaiveCommand Last(std::string_view part) {
    text_.append(part.substr(0, part.find_last_not_of(' ') + 1));
    Grammar grammar(text_);
    Kind kind = grammar.Read();
    const int count = grammar.arguments();
    const bool fits = verb_ == "SEARCH"   ? count >= 1
                      : verb_ == "CREATE" ? count == 1 || count == 2
                                          : verb_ == "NOOP" && count == 0;
    if (kind == Kind::kGood && !fits) kind = Kind::kClumsy;
    return {kind, kind == Kind::kDoubt ? 0 : at_};
  }

  std::string_view bytes_;
  std::size_t at_ = 0;
  std::string verb_;
  std::string text_;
};

// A line that ends in more of a number than any literal has.
bool IsEndless(std::string_view line) {
  return line.size() >= 62 && line.back() == '}' &&
         line.find_first_not_of("0123456789+- ", line.size() - 62) == line.size() - 1;
}

bool IsText(std::string_view line) {
  if (line.substr(0, 1) == "+") return true;
  if (line.find(' ') == line.npos) return false;
  if (line.substr(0, 2) != "* ") return true;
  const std::string word = Upper(std::string(line.substr(2, line.find(' ', 2) - 2)));
  return word == "OK" || word == "NO" || word == "BAD" || word == "BYE" || word == "PREAUTH";
}

}  // namespace

std::vector<NaiveCommand> NaiveCommands(std::string_view bytes) {
  std::vector<NaiveCommand> commands;
  std::size_t begin = 0;
  while (begin < bytes.size()) {
    NaiveCommand command = OneCommand(bytes.substr(begin)).Read();
    if (command.kind == Kind::kGood && command.end == 0) break;
    if (command.kind == Kind::kDoubt) {
      commands.push_back({Kind::kDoubt, 0});
      break;
    }
    begin = command.end += begin;
    commands.push_back(command);
  }
  return commands;
}

std::vector<std::size_t> NaiveResponses(std::string_view bytes) {
  std::vector<std::size_t> ends;
  std::size_t at = 0;
  bool fresh = true, text = false;
  while (at < bytes.size()) {
    const long length = LineLength(bytes.substr(at), true);
    if (length == -1) break;
    if (length == -2) {
      ends.push_back(kNaiveMalformed);
      break;
    }
    const std::string_view line = bytes.substr(at, static_cast<std::size_t>(length));
    if (fresh) text = IsText(line);
    at += line.size() + 2;
    const End end = text ? End{} : EndOf(line);
    const bool digit = end.what != End::kNone && line.back() == '}' &&
                       line.find_first_of("0123456789", end.begins) == end.begins + 1;
    const bool odd = end.what != End::kNone && digit && (end.what == End::kStrange || end.plus);
    if (odd || (!text && IsEndless(line))) {
      ends.push_back(kNaiveMalformed);
      break;
    }
    fresh = end.what != End::kMark;
    if (fresh) {
      ends.push_back(at);
    } else if (bytes.size() - at < end.size) {
      break;
    } else {
      at += end.size;
    }
  }
  return ends;
}

}  // namespace postern::testing
