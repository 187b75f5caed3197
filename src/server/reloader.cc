#include "server/reloader.h"

#include <memory>
#include <utility>

#include "server/addresses.h"
#include "server/config_diff.h"
#include "server/notify.h"

namespace postern {

Reloader::Reloader(Loop& loop, Config config, Fleet& fleet, Log& log,
                   std::function<void(const Config&)> applied)
    : config_(std::move(config)),
      fleet_(fleet),
      log_(log),
      applied_to_(std::move(applied)),
      loader_(loop) {}

void Reloader::Reload(const char* cause, Done done) {
  if (stopped_) {
    outcome_ = {generation(), {"shutting down"}, {}};
    return done(outcome_);
  }
  wishes_.push_back({cause, std::move(done)});
  BeginNext();
}

void Reloader::BeginNext() {
  if (!wishes_.empty() && !under_way_ && !stopped_) Begin();
}

void Reloader::Begin() {
  under_way_ = true;
  served_ = std::exchange(wishes_, {});
  outcome_ = {};
  // The file that was rotated away is left even if the configuration is refused.
  if (const Status status = log_.Reopen(config_.log_path); !status.ok()) {
    log_.Write(std::move(LogLine("log_not_reopened").Text("reason", status.message())));
  }
  NotifyReloading();
  loader_.Load(config_.file, [this](Config config, const ConfigErrors& errors) {
    OnLoaded(std::move(config), errors);
  });
}

void Reloader::OnLoaded(Config config, const ConfigErrors& errors) {
  for (const std::string& error : errors.errors) {
    log_.Write(std::move(LogLine("config_error").Text("reason", error)));
  }
  outcome_.notes = errors.warnings;
  if (!errors.errors.empty()) return End(errors.errors);
  KeepWhatNeedsARestart(config);
  KeepKnownAddresses(config_, config);
  Result<CompileOrder> order = fleet_.Prepare(config);
  if (!order.ok()) return End({order.error().message()});
  auto kept = std::make_shared<Config>(std::move(config));
  loader_.Compile(std::move(order.value()), [this, kept](Result<Compiled> compiled) {
    OnCompiled(std::move(*kept), std::move(compiled));
  });
}

void Reloader::OnCompiled(Config config, Result<Compiled> compiled) {
  if (!compiled.ok()) return End({compiled.error().message()});
  if (config.log_path != config_.log_path) {
    const Status status = log_.Reopen(config.log_path);
    if (!status.ok()) return End({status.message()});
  }
  const Status status =
      Apply(std::move(config), std::move(compiled.value()), served_.front().cause);
  End(status.ok() ? std::vector<std::string>{} : std::vector<std::string>{status.message()});
}

void Reloader::KeepWhatNeedsARestart(Config& config) {
  for (const std::string& sentence : NeedsRestart(config_, config)) {
    log_.Write(std::move(LogLine("restart_needed").Text("reason", sentence)));
    outcome_.notes.push_back(sentence);
  }
  config.workers = config_.workers;
  config.user = config_.user;
  config.admin_address = config_.admin_address;
}

bool Reloader::Reapply(Config config, const char* cause) {
  const Status status = Apply(std::move(config), {}, cause);
  if (!status.ok()) Refuse(cause, status.message());
  return status.ok();
}

void Reloader::TakeAddresses(Config config) {
  constexpr const char* kCause = "address";
  if (under_way_ || stopped_) return;
  if (config.lookups.empty()) {
    Reapply(std::move(config), kCause);
    return;
  }
  Result<CompileOrder> order = fleet_.Prepare(config);
  if (!order.ok()) return Refuse(kCause, order.error().message());
  under_way_ = true;
  auto kept = std::make_shared<Config>(std::move(config));
  loader_.Compile(std::move(order.value()), [this, kept](Result<Compiled> compiled) {
    const Status status = compiled.ok()
                              ? Apply(std::move(*kept), std::move(compiled.value()), kCause)
                              : compiled.error();
    if (!status.ok()) Refuse(kCause, status.message());
    under_way_ = false;
    BeginNext();
  });
}

Status Reloader::Apply(Config config, std::optional<Compiled> compiled, const char* cause) {
  if (Status status = fleet_.Apply(config, std::move(compiled)); !status.ok()) return status;
  ++applied_;
  last_ = {cause, MonotonicNow(), {}};
  log_.Write(
      std::move(LogLine("reloaded")
                    .Text("cause", cause)
                    .Number("generation", static_cast<std::int64_t>(generation()))
                    .Number("rules", static_cast<std::int64_t>(config.rules->rules.size()))));
  config_ = std::move(config);
  applied_to_(config_);
  return {};
}

void Reloader::Refuse(const char* cause, const std::string& reason) {
  ++refused_;
  last_ = {cause, MonotonicNow(), {reason}};
  log_.Write(std::move(LogLine("reload_refused").Text("cause", cause).Text("reason", reason)));
}

void Reloader::End(std::vector<std::string> reasons) {
  if (!reasons.empty()) {
    Refuse(served_.front().cause, reasons.front());
    last_.reasons = reasons;
  }
  outcome_.generation = generation();
  outcome_.reasons = std::move(reasons);
  NotifyReady();
  under_way_ = false;
  for (const Wish& wish : std::exchange(served_, {})) wish.done(outcome_);
  BeginNext();
}

}  // namespace postern
