// HttpLookup: asks a service that speaks nginx's auth_http protocol, one connection a question, at
// most kMaxHttpRequests at once; the rest wait, each for no longer than the timeout. Owned by a
// chain; used on the lookups' thread.
#pragma once

#include <list>
#include <memory>
#include <string>

#include "lookup/finding.h"
#include "lookup/places.h"
#include "lookup/service_stream.h"
#include "postern/base/clock.h"

namespace postern {

inline constexpr std::size_t kMaxHttpRequests = 64;
// Questions that may wait for one of these; more are told at once that the service is away.
inline constexpr std::size_t kMaxHttpWaiting = 10'000;

class HttpLookup {
 public:
  HttpLookup(ServiceNet net, ServicePlace place, Places places, Duration timeout);
  // Answers all that it was asked.
  ~HttpLookup();
  HttpLookup(const HttpLookup&) = delete;
  HttpLookup& operator=(const HttpLookup&) = delete;

  // As an AskFunction.
  void Ask(const LookupQuestion& question, FindingDone done);

 private:
  class Request;
  using Requests = std::list<Request>;

  void StartNext();
  void Finish(Request& request, Finding finding);

  const ServiceNet net_;
  ServicePlace place_;
  const Places places_;
  const Duration timeout_;
  Requests waiting_;
  Requests running_;
};

}  // namespace postern
