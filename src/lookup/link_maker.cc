#include "lookup/link_maker.h"

#include <utility>

#include "lookup/http_lookup.h"
#include "lookup/redis_lookup.h"
#include "lookup/user_map.h"

namespace postern {
namespace {

using namespace std::chrono_literals;

// Loading that takes longer is told to the operator, as often as this.
constexpr Duration kTellLoading = 2s;

double Seconds(Duration time) { return std::chrono::duration<double>(time).count(); }

// Calls on, unless the object is gone: asking it is what keeps it.
template <typename Asked>
AskFunction AskOf(std::shared_ptr<Asked> asked) {
  return [asked = std::move(asked)](const LookupQuestion& question, FindingDone done) {
    asked->Ask(question, std::move(done));
  };
}

Result<ServicePlace> PlaceOf(Result<ServiceUrl> url, Resolver& resolver,
                             const LookupSettings& settings) {
  if (!url.ok()) return url.error();
  ServicePlace place;
  place.url = std::move(url.value());
  place.address = std::make_unique<ServiceAddress>(resolver, place.url);
  if (!place.url.tls) return place;
  Result<std::unique_ptr<TlsContext>> tls = TlsContext::ForClient(settings.verification);
  if (!tls.ok()) return tls.error();
  place.tls = std::move(tls.value());
  return place;
}

}  // namespace

Status CheckUserFile(const std::string& path, const LookupTargets& targets) {
  return UserMap::Load(path, Places(targets), {}).error();
}

std::shared_ptr<LookupMemory> LookupMemories::Of(const LookupSettings& settings) {
  const std::string asks = settings.url + "\n" + settings.command + "\n" + settings.user;
  const std::lock_guard<std::mutex> lock(mutex_);
  Kept& kept = kept_[settings.slot];
  if (kept.memory == nullptr || kept.asks != asks) kept = {asks, std::make_shared<LookupMemory>()};
  return kept.memory;
}

Result<LookupChain::Link> LinkMaker::Make(LookupSettings settings) {
  using Type = LookupSettings::Type;
  LookupChain::Link link;
  link.name = settings.name;
  link.slot = settings.slot;
  link.judges = settings.type == Type::kHttp;
  link.ttl = settings.ttl;
  link.stale = settings.stale;
  if (settings.type != Type::kFile) link.memory = memories_.Of(settings);
  Result<AskFunction> ask = settings.type == Type::kFile   ? MakeFile(settings)
                            : settings.type == Type::kHttp ? MakeHttp(settings)
                                                           : MakeRedis(std::move(settings));
  if (!ask.ok()) return ask.error();
  link.ask = std::move(ask.value());
  return link;
}

Result<AskFunction> LinkMaker::MakeFile(const LookupSettings& settings) {
  const Instant began = MonotonicNow();
  Instant told = began;
  const auto tell = [&](std::size_t lines) {
    const Instant now = MonotonicNow();
    if (now - told < kTellLoading) return;
    told = now;
    log_.Write(std::move(LogLine("lookup_loading")
                             .Text("lookup", settings.name)
                             .Number("lines", static_cast<std::int64_t>(lines))
                             .Seconds("seconds", Seconds(now - began))));
  };
  Result<UserMap> loaded = UserMap::Load(settings.path, places_, tell);
  if (!loaded.ok()) return loaded.error();
  auto map = std::make_shared<const UserMap>(std::move(loaded.value()));
  log_.Write(std::move(LogLine("lookup_loaded")
                           .Text("lookup", settings.name)
                           .Number("users", static_cast<std::int64_t>(map->size()))
                           .Number("bytes", static_cast<std::int64_t>(map->memory()))
                           .Seconds("seconds", Seconds(MonotonicNow() - began))));
  return AskFunction([map](const LookupQuestion& question, const FindingDone& done) {
    Finding finding;
    if (const std::optional<Place> place = map->Find(question.user)) {
      finding.answer.kind = LookupAnswer::Kind::kFound;
      finding.answer.pool = place->pool;
      finding.answer.backend = place->backend;
    }
    done(std::move(finding));
  });
}

Result<AskFunction> LinkMaker::MakeHttp(const LookupSettings& settings) {
  Result<ServicePlace> place = PlaceOf(ServiceUrl::Http(settings.url), net_.resolver, settings);
  if (!place.ok()) return place.error();
  return AskOf(
      std::make_shared<HttpLookup>(net_, std::move(place.value()), places_, settings.timeout));
}

Result<AskFunction> LinkMaker::MakeRedis(LookupSettings settings) {
  Result<ServicePlace> place = PlaceOf(ServiceUrl::Redis(settings.url), net_.resolver, settings);
  if (!place.ok()) return place.error();
  Result<RedisCommand> command = RedisCommand::Parse(settings.command);
  if (!command.ok()) return command.error();
  RedisAccount account{std::move(settings.user), std::move(settings.password)};
  return AskOf(std::make_shared<RedisLookup>(net_, std::move(place.value()), std::move(account),
                                             std::move(command.value()), places_,
                                             settings.timeout));
}

}  // namespace postern
