// What the relay does with a client's bytes that are no command, are too much, or belong to a
// command that was refused.
#include "engine/imap_relay.h"
#include "postern/engine/limits.h"
#include "postern/engine/trouble.h"

namespace postern {

void ImapRelay::OnSwallowTail(std::string_view line) {
  core_.Elide(line.size());
  imap::LiteralMark mark;
  const imap::LineEnd end = imap::ReadLineEnd(line.substr(0, line.size() - 2), &mark);
  if (end == imap::LineEnd::kDoubt) return Doubt({});
  const bool more = end == imap::LineEnd::kLiteral && !mark.synchronising;
  reading_ = more ? Reading::kSwallow : Reading::kLine;
  if (!more) return;
  framer_.OpenLiteral(mark.size);
  if (mark.size == 0) reading_ = Reading::kSwallowTail;
}

void ImapRelay::TooBig() {
  const bool coming = !reader_.mark().synchronising;
  const bool append = imap::Traits(reader_.kind()).literals == imap::Literals::kStreamed;
  if (coming && !append && reader_.mark().size > kMaxHead) return Doubt(reader_.tag());
  AnswerHere(Tagged(reader_.tag(), "NO",
                    ImapText(Trouble::kTooBig, "this literal is longer than is allowed here")));
  reader_.Reset();
  ruling_.reset();
  reading_ = Reading::kLine;
  if (!coming) return;
  framer_.OpenLiteral(reader_.mark().size);
  reading_ = Reading::kSwallow;
}

void ImapRelay::Clumsy(std::string_view text) {
  const std::string_view tag = reader_.tag();
  AnswerHere(Tagged(tag.empty() ? "*" : tag, "BAD", ImapText(Trouble::kClientBug, text)));
  reader_.Reset();
  reading_ = Reading::kLine;
}

void ImapRelay::Malformed(std::string_view bytes) {
  if (reading_ == Reading::kIdle) {
    const std::string tag = open_->tag;
    return Doubt(tag);
  }
  if (reading_ == Reading::kLine) {
    reader_.First(bytes.substr(0, bytes.find_first_of(std::string_view("\r\n\0", 3))), {}, {});
  }
  Doubt(reader_.tag());
}

// Nobody can say where the command ends: nothing more of it is forwarded and the session ends.
void ImapRelay::Doubt(std::string_view tag) {
  FlushRun();
  // A command that was answered already gets no second answer and is not counted again.
  const bool answered = open_ == nullptr && (at_backend_ || reading_ == Reading::kSwallowTail);
  if (open_ == nullptr && !answered) core_.CountLocal(reader_.kind());
  if (!tag.empty() && !answered) {
    Reply(Tagged(tag, "BAD", ImapText(Trouble::kClientBug, "this cannot be read safely")));
  }
  Bye(CloseReason::kClientProtocol, "cannot tell where this command ends");
}

}  // namespace postern
