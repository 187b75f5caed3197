// Resolver: host names to addresses over DNS, with their TTLs, on a loop and without blocking it.
// Owned by whoever asks; used on the loop's thread. The only place that knows c-ares.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "postern/base/address.h"
#include "postern/base/clock.h"
#include "postern/base/status.h"
#include "postern/net/loop.h"

namespace postern {

struct ResolverOptions {
  // "127.0.0.1:53" and the like, numbers only; empty: those of the system (resolv.conf).
  std::vector<Address> servers;
  Duration timeout = std::chrono::seconds(2);  // of one try
  int tries = 2;                               // of each server
};

struct ResolvedName {
  // IPv4 before IPv6, each in the order of the answer; never empty; with port 0.
  std::vector<Address> addresses;
  Duration ttl{};  // the shortest; zero for names of the hosts file
};

class Resolver {
 public:
  explicit Resolver(Loop& loop, const ResolverOptions& options = {});
  // Questions that have no answer yet are dropped: their functions are never called.
  ~Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  // Asks for the IPv4 and IPv6 addresses of a name, the hosts file first. done is called once, on a
  // later turn, and must not destroy the resolver. Errors are sentences: the name does not exist,
  // or no name server answered.
  using Done = std::function<void(Result<ResolvedName>)>;
  void Resolve(const std::string& name, Done done);

  // Inner state, for resolver.cc only.
  struct Inner;

 private:
  std::unique_ptr<Inner> inner_;
};

}  // namespace postern
