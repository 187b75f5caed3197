#include "server/loader.h"

#include <memory>
#include <utility>

namespace postern {

Loader::~Loader() {
  if (thread_.joinable()) thread_.join();
}

void Loader::Load(const std::string& file, Done done) {
  Run(
      [file](ConfigErrors& errors) {
        Config config = LoadConfig(file, errors);
        CheckFiles(config, errors);
        ResolveBackends(config, errors);
        return config;
      },
      std::move(done));
}

void Loader::Resolve(const Config& config, Done done) {
  Run(
      [config](ConfigErrors& errors) {
        Config again = config;
        ResolveBackends(again, errors);
        return again;
      },
      std::move(done));
}

void Loader::Run(std::function<Config(ConfigErrors&)> job, Done done) {
  if (thread_.joinable()) thread_.join();
  busy_ = true;
  thread_ = std::thread([this, job = std::move(job), done = std::move(done)] {
    auto errors = std::make_shared<ConfigErrors>();
    auto config = std::make_shared<Config>(job(*errors));
    loop_.Post([this, config, errors, done] {
      busy_ = false;
      done(std::move(*config), std::move(*errors));
    });
  });
}

}  // namespace postern
