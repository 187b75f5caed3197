// ServiceStream: one connection to a lookup's service: dialled, with TLS where the URL asks for it.
// Owned by whoever asks the service; used on the lookups' thread. May be destroyed at any time,
// from inside its observer's calls too: that aborts the connection.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "lookup/service_address.h"
#include "lookup/service_url.h"
#include "postern/net/dialer.h"
#include "postern/net/loop.h"
#include "postern/net/stream.h"
#include "postern/net/tls.h"

namespace postern {

// Where a service is, and how it is reached. Shared by all connections to it.
struct ServicePlace {
  ServiceUrl url;
  std::unique_ptr<ServiceAddress> address;
  std::unique_ptr<TlsContext> tls;  // null: none
};

// What connections are made with; all outlive every connection.
struct ServiceNet {
  Loop& loop;
  Dialer& dialer;
  Resolver& resolver;
};

class ServiceStream final : private Dialer::Observer {
 public:
  // The observer hears of a name that is not known and of a failed connect by OnEnd, on a later
  // turn, and of nothing before OnOpen. It must outlive the stream.
  ServiceStream(ServiceNet net, ServicePlace& place, Stream::Observer& observer);
  ~ServiceStream() override;
  ServiceStream(const ServiceStream&) = delete;
  ServiceStream& operator=(const ServiceStream&) = delete;

  // Only behind OnOpen.
  void Write(std::string_view bytes) { stream_->Write(bytes); }
  // An orderly end; the observer is not called again.
  void Finish();

 private:
  void OnAddress(const Result<Address>& address);
  void OnDialed(Result<std::unique_ptr<Stream>> result) override;
  void Bury(Stream::How how);

  const ServiceNet net_;
  ServicePlace& place_;
  Stream::Observer& observer_;
  std::unique_ptr<Dialer::Attempt> attempt_;
  std::unique_ptr<Stream> stream_;
  // Gone with this, which is how an answer to a name's question knows.
  const std::shared_ptr<ServiceStream*> alive_;
};

}  // namespace postern
