// The stream that begins with a PROXY header.
#include <algorithm>
#include <utility>

#include "postern/base/secret.h"
#include "postern/net/proxy_header.h"

namespace postern {
namespace {

// Owned by whoever wrapped it, owns the stream below; used on its loop's thread.
//
//   kHeader ──header: on_header, OnOpen──► kOpen, where everything passes through
//      └──malformed, end──► kDead: OnEnd(error)          Close leads from everywhere to kClosed
//
// It has no turn of its own to wait for: what follows the header in the same arrival is given to
// the observer in the same call, also if it pauses in OnOpen.
class ProxyHeaderStream final : public Stream, private Stream::Observer {
 public:
  using OnHeader = std::function<void(const ProxyHeader&)>;

  ProxyHeaderStream(std::unique_ptr<Stream> lower, OnHeader on_header)
      : lower_(std::move(lower)), on_header_(std::move(on_header)) {}
  ~ProxyHeaderStream() override {
    Wipe(begun_);
    if (gone_ != nullptr) *gone_ = true;
  }
  ProxyHeaderStream(const ProxyHeaderStream&) = delete;
  ProxyHeaderStream& operator=(const ProxyHeaderStream&) = delete;

  void Start(Stream::Observer& observer) override;
  void Write(std::string_view bytes) override {
    if (state_ == State::kHeader || state_ == State::kOpen) lower_->Write(bytes);
  }
  std::size_t backlog() const override { return lower_->backlog(); }
  void SetReading(bool on) override {
    if (state_ == State::kHeader || state_ == State::kOpen) lower_->SetReading(on);
  }
  void Close(How how) override {
    state_ = State::kClosed;
    lower_->Close(how);
  }
  TlsFacts tls() const override { return lower_->tls(); }
  Peer peer() const override { return lower_->peer(); }
  void WipeReads(bool on) override { lower_->WipeReads(on); }

 private:
  enum class State : std::uint8_t { kHeader, kOpen, kDead, kClosed };

  // Of the stream below.
  void OnOpen() override {}
  void OnBytes(std::string_view bytes) override;
  void OnDrained() override { observer_->OnDrained(); }
  void OnEnd(const Status& why) override;

  void Open(const ProxyHeader& header, std::string_view rest);
  void Die(const Status& why);

  std::unique_ptr<Stream> lower_;
  OnHeader on_header_;
  Stream::Observer* observer_ = nullptr;
  std::string begun_;     // of a header that came in pieces; never more than the longest one
  bool* gone_ = nullptr;  // set while this object may be destroyed from inside a call
  State state_ = State::kHeader;
};

void ProxyHeaderStream::Start(Stream::Observer& observer) {
  const bool again = observer_ != nullptr;
  observer_ = &observer;
  if (!again) return lower_->Start(*this);
  if (state_ == State::kOpen) observer.OnOpen();
}

void ProxyHeaderStream::OnBytes(std::string_view bytes) {
  if (state_ == State::kOpen) return observer_->OnBytes(bytes);
  if (state_ != State::kHeader) return;
  const std::size_t before = begun_.size();
  // What follows may be a login, of which the copy is wiped.
  if (before > 0) AppendSecret(begun_, bytes.substr(0, kMaxProxyHeader - before));
  const ProxyHeader header = ParseProxyHeader(before > 0 ? std::string_view(begun_) : bytes);
  switch (header.outcome) {
    case ProxyHeader::Outcome::kNeedMore:
      if (before == 0) begun_ = bytes;
      return;
    case ProxyHeader::Outcome::kMalformed:
      return Die(Status::Error("malformed PROXY header"));
    case ProxyHeader::Outcome::kHeader:
      return Open(header, bytes.substr(header.size - before));
  }
}

// Each call may destroy this object or close it.
void ProxyHeaderStream::Open(const ProxyHeader& header, std::string_view rest) {
  Wipe(begun_);
  begun_ = std::string();
  state_ = State::kOpen;
  bool gone = false;
  gone_ = &gone;
  const OnHeader on_header = std::move(on_header_);
  on_header(header);
  if (gone) return;
  if (state_ == State::kOpen) observer_->OnOpen();
  if (gone) return;
  gone_ = nullptr;
  if (state_ == State::kOpen && !rest.empty()) observer_->OnBytes(rest);
}

void ProxyHeaderStream::OnEnd(const Status& why) {
  if (state_ == State::kOpen) return observer_->OnEnd(why);
  if (state_ != State::kHeader) return;
  Die(why.ok() ? Status::Error("connection closed before the end of its PROXY header") : why);
}

void ProxyHeaderStream::Die(const Status& why) {
  state_ = State::kDead;
  lower_->SetReading(false);
  observer_->OnEnd(why);
}

}  // namespace

std::unique_ptr<Stream> ExpectProxyHeader(std::unique_ptr<Stream> lower,
                                          std::function<void(const ProxyHeader&)> on_header) {
  return std::make_unique<ProxyHeaderStream>(std::move(lower), std::move(on_header));
}

}  // namespace postern
