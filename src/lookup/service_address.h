// ServiceAddress: where the host of a URL is. A number is known at once; a name is asked for when a
// connection needs it, again when its time to live is over, and the last good answer stands while
// no name server has a better one. Owned by a lookup; used on the lookups' thread.
#pragma once

#include <functional>
#include <memory>

#include "lookup/service_url.h"
#include "postern/base/address.h"
#include "postern/net/resolver.h"

namespace postern {

class ServiceAddress {
 public:
  // The resolver must outlive this.
  ServiceAddress(Resolver& resolver, const ServiceUrl& url);
  ~ServiceAddress();
  ServiceAddress(const ServiceAddress&) = delete;
  ServiceAddress& operator=(const ServiceAddress&) = delete;

  // Calls done once, at once when the address is known, or never when this is destroyed first.
  using Done = std::function<void(const Result<Address>&)>;
  void Get(Done done);
  // Nobody listens there: the next of the name's addresses is to be tried.
  void Failed();

 private:
  struct State;
  const std::shared_ptr<State> state_;
};

}  // namespace postern
