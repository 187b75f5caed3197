#include "simulation/tls_stand_in.h"

#include <string>
#include <utility>

namespace postern::testing {
namespace {

class TlsStream final : public Stream, private Stream::Observer {
 public:
  TlsStream(TlsRole role, std::unique_ptr<Stream> lower) : role_(role), lower_(std::move(lower)) {}

  void Start(Stream::Observer& observer) override {
    observer_ = &observer;
    lower_->Start(*this);
  }
  void Write(std::string_view bytes) override { lower_->Write(bytes); }
  std::size_t backlog() const override { return lower_->backlog(); }
  void SetReading(bool on) override { lower_->SetReading(on); }
  void Close(How how) override {
    observer_ = nullptr;
    lower_->Close(how);
  }
  Peer peer() const override { return lower_->peer(); }
  TlsFacts tls() const override {
    TlsFacts facts;
    if (open_) facts.version = "1.3";
    if (open_) facts.cipher = "TLS_AES_128_GCM_SHA256";
    facts.plaintext = plaintext_;
    return facts;
  }

 private:
  void OnOpen() override {
    if (role_ == TlsRole::kClient) lower_->Write(kTlsHello);
  }
  void OnBytes(std::string_view bytes) override {
    if (open_) return observer_->OnBytes(bytes);
    if (dead_) return;
    const std::string_view expected = role_ == TlsRole::kServer ? kTlsHello : kTlsWelcome;
    heard_.append(bytes);
    const bool whole = heard_.size() >= expected.size();
    if (std::string_view(heard_).substr(0, expected.size()) != expected.substr(0, heard_.size())) {
      plaintext_ = heard_.front() != expected.front();
      return Fail();
    }
    if (!whole) return;
    if (role_ == TlsRole::kServer) lower_->Write(kTlsWelcome);
    open_ = true;
    const std::string rest = std::exchange(heard_, {}).substr(expected.size());
    observer_->OnOpen();
    if (!rest.empty() && observer_ != nullptr) observer_->OnBytes(rest);
  }
  void OnDrained() override {
    if (open_) observer_->OnDrained();
  }
  void OnEnd(const Status& why) override {
    if (dead_) return;
    if (open_) return observer_->OnEnd(why);
    Fail();
  }
  void Fail() {
    dead_ = true;
    observer_->OnEnd(Status::Error("no TLS came about"));
  }

  const TlsRole role_;
  std::unique_ptr<Stream> lower_;
  Stream::Observer* observer_ = nullptr;
  std::string heard_;
  bool open_ = false;
  bool dead_ = false;
  bool plaintext_ = false;
};

}  // namespace

std::unique_ptr<Stream> TlsStandIn(TlsRole role, std::unique_ptr<Stream> lower) {
  return std::make_unique<TlsStream>(role, std::move(lower));
}

}  // namespace postern::testing
