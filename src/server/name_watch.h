// NameWatch: the addresses of backends that are given as host names, kept by the names' TTLs. The
// last good answer stands while name servers are away (SECURITY R-09). Owned by the server; used on
// its loop's thread. Never blocks it.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "postern/base/log.h"
#include "postern/net/loop.h"
#include "postern/net/resolver.h"
#include "postern/server/config.h"

namespace postern {

// Between two questions for a name, whatever its time to live is.
struct NamePace {
  Duration least = std::chrono::seconds(5);
  Duration most = std::chrono::hours(1);
};

class NameWatch {
 public:
  // changed is called with the configuration that was adopted last, in which addresses of names are
  // those of now, whenever one of them differs; from a turn of the loop, never from inside Adopt.
  NameWatch(Loop& loop, Log& log, std::function<void(Config)> changed,
            const ResolverOptions& options = {}, NamePace pace = {});
  ~NameWatch();
  NameWatch(const NameWatch&) = delete;
  NameWatch& operator=(const NameWatch&) = delete;

  // Watches the names of this configuration from now on and asks at once for those it did not
  // watch. Addresses that config already has stand until there is an answer; of several addresses
  // of a name the one in use stays as long as it is among them.
  void Adopt(const Config& config);

 private:
  struct Name;
  Name* Find(const std::string& host);
  void Ask(const std::string& host);
  void Tell(Name& name, const std::string& reason);
  void OnAnswer(const std::string& host, const ResolvedName& found);

  Loop& loop_;
  Log& log_;
  const std::function<void(Config)> changed_;
  const NamePace pace_;
  Config adopted_;
  Config config_;  // the same with the addresses of now
  std::vector<std::unique_ptr<Name>> names_;
  Resolver resolver_;
};

}  // namespace postern
