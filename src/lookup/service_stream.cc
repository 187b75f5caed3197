#include "lookup/service_stream.h"

#include <utility>

namespace postern {

ServiceStream::ServiceStream(ServiceNet net, ServicePlace& place, Stream::Observer& observer)
    : net_(net),
      place_(place),
      observer_(observer),
      alive_(std::make_shared<ServiceStream*>(this)) {
  place_.address->Get(
      [weak = std::weak_ptr<ServiceStream*>(alive_)](const Result<Address>& address) {
        if (const auto alive = weak.lock()) (*alive)->OnAddress(address);
      });
}

ServiceStream::~ServiceStream() { Bury(Stream::How::kAbort); }

void ServiceStream::Finish() { Bury(Stream::How::kFlush); }

// One of the stream's own calls may be on the stack, so it goes when the turn is over.
void ServiceStream::Bury(Stream::How how) {
  if (stream_ == nullptr) return;
  stream_->Close(how);
  net_.loop.AfterTurn([dead = std::shared_ptr<Stream>(std::move(stream_))] {});
}

// An error comes on a later turn than the question, an address perhaps from inside the constructor.
void ServiceStream::OnAddress(const Result<Address>& address) {
  if (!address.ok()) return observer_.OnEnd(address.error());
  attempt_ = net_.dialer.Dial(address.value(), *this);
}

void ServiceStream::OnDialed(Result<std::unique_ptr<Stream>> result) {
  if (!result.ok()) {
    place_.address->Failed();
    return observer_.OnEnd(result.error());
  }
  stream_ = std::move(result.value());
  if (place_.tls != nullptr) {
    stream_ = place_.tls->Wrap(net_.loop, std::move(stream_), place_.url.host);
  }
  // Passwords pass here, and answers may carry others.
  stream_->WipeReads(true);
  stream_->Start(observer_);
}

}  // namespace postern
