#include "lookup/service_stream.h"

#include <utility>

namespace postern {

ServiceStream::ServiceStream(ServiceNet net, ServicePlace& place, Stream::Observer& observer)
    : net_(net),
      place_(place),
      observer_(observer),
      attempt_(net.dialer.Dial(place.address, *this)) {}

ServiceStream::~ServiceStream() { Bury(Stream::How::kAbort); }

void ServiceStream::Finish() { Bury(Stream::How::kFlush); }

// One of the stream's own calls may be on the stack, so it goes when the turn is over.
void ServiceStream::Bury(Stream::How how) {
  if (stream_ == nullptr) return;
  stream_->Close(how);
  net_.loop.AfterTurn([dead = std::shared_ptr<Stream>(std::move(stream_))] {});
}

void ServiceStream::OnDialed(Result<std::unique_ptr<Stream>> result) {
  if (!result.ok()) return observer_.OnEnd(result.error());
  stream_ = std::move(result.value());
  if (place_.tls != nullptr) {
    stream_ = place_.tls->Wrap(net_.loop, std::move(stream_), place_.url.host);
  }
  // Passwords pass here, and answers may carry others.
  stream_->WipeReads(true);
  stream_->Start(observer_);
}

}  // namespace postern
