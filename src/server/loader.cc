#include "server/loader.h"

#include <memory>
#include <utility>

namespace postern {

Loader::~Loader() {
  if (thread_.joinable()) thread_.join();
}

void Loader::Load(const std::string& file, Done done) {
  Run([file, done = std::move(done)]() -> std::function<void()> {
    auto errors = std::make_shared<ConfigErrors>();
    auto config = std::make_shared<Config>(LoadConfig(file, *errors));
    CheckFiles(*config, *errors);
    ResolveBackends(*config, *errors);
    return [config, errors, done] { done(std::move(*config), std::move(*errors)); };
  });
}

void Loader::Compile(CompileOrder order, Compiled done) {
  // What is posted must be copyable.
  auto kept = std::make_shared<CompileOrder>(std::move(order));
  Run([kept, done = std::move(done)]() -> std::function<void()> {
    auto compiled = std::make_shared<Result<postern::Compiled>>(postern::Compile(*kept));
    return [compiled, done] { done(std::move(*compiled)); };
  });
}

void Loader::Run(std::function<std::function<void()>()> job) {
  if (thread_.joinable()) thread_.join();
  busy_ = true;
  thread_ = std::thread([this, job = std::move(job)] {
    std::function<void()> then = job();
    loop_.Post([this, then = std::move(then)] {
      busy_ = false;
      then();
    });
  });
}

}  // namespace postern
