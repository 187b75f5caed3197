// Loader: reads configurations, resolves host names, compiles rules and loads lookups on a thread
// of its own, because all of it may take long; the result comes back on the loop's thread. One job
// at a time.
// Owned by the server; main thread.
#pragma once

#include <functional>
#include <string>
#include <thread>

#include "postern/net/loop.h"
#include "postern/server/config.h"
#include "server/compile.h"

namespace postern {

class Loader {
 public:
  using Done = std::function<void(Config config, ConfigErrors errors)>;
  using Compiled = std::function<void(Result<postern::Compiled> compiled)>;

  explicit Loader(Loop& loop) : loop_(loop) {}
  // Waits for the job under way; its result is lost.
  ~Loader();
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  bool busy() const { return busy_; }
  // Only when not busy. The whole file, with certificates and names.
  void Load(const std::string& file, Done done);
  // Only when not busy.
  void Compile(CompileOrder order, Compiled done);

 private:
  // The job runs on the thread; what it returns runs on the loop.
  void Run(std::function<std::function<void()>()> job);

  Loop& loop_;
  std::thread thread_;
  bool busy_ = false;
};

}  // namespace postern
