#include "replies.h"

#include <algorithm>

namespace postern {

uint64_t Replies::TakeBodyOctets() {
  const uint64_t octets = body_octets_;
  body_octets_ = 0;
  return octets;
}

Replies::Event Replies::Next(std::string_view& bytes, Ending awaited) {
  for (;;) {
    const auto skipped = static_cast<size_t>(std::min<uint64_t>(skip_, bytes.size()));
    bytes.remove_prefix(skipped);
    skip_ -= skipped;
    body_octets_ += skipped;
    if (skip_ > 0 || !lines_.Next(bytes, line_)) return Event::kNone;
    const Event event = protocol_ == Protocol::kImap ? OnImapLine() : OnPop3Line(awaited);
    if (event != Event::kNone) return event;
  }
}

Replies::Event Replies::OnImapLine() {
  const bool continued = inside_response_;
  inside_response_ = !line_.empty() && line_.back() == '}';
  if (inside_response_) {
    skip_ = NumberAt(line_.substr(line_.rfind('{') + 1));
    return Event::kNone;
  }
  if (continued || line_.empty()) return Event::kNone;
  if (line_[0] == '*') {
    if (greeted_) return Event::kNone;
    greeted_ = true;
    return line_.substr(0, 5) == "* OK " ? Event::kGreeting : Event::kSurprise;
  }
  if (line_[0] == '+') return Event::kContinuation;
  const size_t space = line_.find(' ');
  if (line_[0] != 'A' || space == std::string_view::npos) return Event::kSurprise;
  tag_ = NumberAt(line_.substr(1));
  ok_ = line_.substr(space + 1, 2) == "OK";
  return Event::kTagged;
}

Replies::Event Replies::OnPop3Line(Ending awaited) {
  if (inside_response_) {
    inside_response_ = line_ != ".";
    return inside_response_ ? Event::kNone : Event::kReply;
  }
  ok_ = line_.substr(0, 3) == "+OK";
  if (!greeted_) {
    greeted_ = true;
    return ok_ ? Event::kGreeting : Event::kSurprise;
  }
  if (!ok_ || awaited == Ending::kLine) return Event::kReply;
  if (awaited == Ending::kMessage)
    skip_ = NumberAt(line_.substr(std::min<size_t>(4, line_.size())));
  inside_response_ = true;
  return Event::kNone;
}

}  // namespace postern
