// Reloader: from a changed configuration file to workers that run by it. Reading, testing the rules
// and compiling them happen away from every loop that serves; what cannot be applied whole is
// refused whole, with its reasons. Owned by the server; main thread.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "postern/base/log.h"
#include "postern/net/loop.h"
#include "postern/server/admin_api.h"
#include "postern/server/config.h"
#include "server/fleet.h"
#include "server/loader.h"

namespace postern {

class Reloader {
 public:
  using Done = std::function<void(ReloadOutcome)>;

  // applied is called after each change, before who asked for it is told.
  Reloader(Loop& loop, Config config, Fleet& fleet, Log& log,
           std::function<void(const Config&)> applied);
  Reloader(const Reloader&) = delete;
  Reloader& operator=(const Reloader&) = delete;

  // The configuration in force.
  const Config& config() const { return config_; }
  // Reads the file again. One that is under way is followed by another one.
  void Reload(const char* cause, Done done);
  // The same configuration with other files behind it. True when it was applied.
  bool Reapply(Config config, const char* cause);
  // The same configuration with the addresses of its host names as they are now. Lookups, whose
  // answers may be addresses, are made anew away from the loop; not while a reload is under way: it
  // is to be asked for again.
  void TakeAddresses(Config config);
  // Nothing is begun any more.
  void Stop() { stopped_ = true; }

  std::uint64_t applied() const { return applied_; }
  std::uint64_t refused() const { return refused_; }
  std::uint64_t generation() const { return applied_ + 1; }
  // What became of the last one.
  struct Last {
    std::string cause;  // empty: there was none
    Instant at{};
    std::vector<std::string> reasons;
  };
  const Last& last() const { return last_; }

 private:
  struct Wish {
    const char* cause;
    Done done;
  };
  void BeginNext();
  void Begin();
  void OnLoaded(Config config, const ConfigErrors& errors);
  void OnCompiled(Config config, Result<Compiled> compiled);
  void KeepWhatNeedsARestart(Config& config);
  Status Apply(Config config, std::optional<Compiled> compiled, const char* cause);
  void Refuse(const char* cause, const std::string& reason);
  void End(std::vector<std::string> reasons);

  Config config_;
  Fleet& fleet_;
  Log& log_;
  const std::function<void(const Config&)> applied_to_;
  std::vector<Wish> wishes_;  // that wait for the next one
  std::vector<Wish> served_;  // by the one under way
  ReloadOutcome outcome_;
  Last last_;
  bool under_way_ = false;
  bool stopped_ = false;
  std::uint64_t applied_ = 0;
  std::uint64_t refused_ = 0;
  Loader loader_;  // the first to go: it posts to the loop
};

}  // namespace postern
