// Loader: reads configurations and resolves host names on a thread of its own, because both may
// wait for disks and name servers; the result comes back on the loop's thread. One job at a time.
// Owned by the server; main thread.
#pragma once

#include <functional>
#include <string>
#include <thread>

#include "postern/net/loop.h"
#include "postern/server/config.h"

namespace postern {

class Loader {
 public:
  using Done = std::function<void(Config config, ConfigErrors errors)>;

  explicit Loader(Loop& loop) : loop_(loop) {}
  // Waits for the job under way; its result is lost.
  ~Loader();
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  bool busy() const { return busy_; }
  // Only when not busy. The whole file, with certificates and names.
  void Load(const std::string& file, Done done);
  // Only when not busy. The configuration again, with the addresses its host names have now.
  void Resolve(const Config& config, Done done);

 private:
  void Run(std::function<Config(ConfigErrors&)> job, Done done);

  Loop& loop_;
  std::thread thread_;
  bool busy_ = false;
};

}  // namespace postern
