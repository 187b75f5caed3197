#include "server/name_watch.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "server/addresses.h"

namespace postern {
namespace {

// The host of "mail1.internal:143"; nothing of a numeric address.
std::string HostOf(const std::string& text) {
  if (text.empty() || Address::Parse(text).ok()) return {};
  return text.substr(0, text.rfind(':'));
}

std::uint16_t PortOf(const std::string& text) {
  // The port and a host that can be parsed; both were looked at when the file was read.
  const Result<Address> address = Address::Parse("0.0.0.0" + text.substr(text.rfind(':')));
  return address.ok() ? address.value().port() : std::uint16_t{0};
}

// The address in use stays as long as it is among those of now.
void Refresh(const std::string& text, const std::string& host, const ResolvedName& found,
             Address& address) {
  if (HostOf(text) != host) return;
  const bool known =
      address.family() != AF_UNSPEC &&
      std::any_of(found.addresses.begin(), found.addresses.end(),
                  [&](const Address& one) { return one.HostText() == address.HostText(); });
  if (known) return;
  const Result<Address> next = Address::FromParts(found.addresses.front().HostText(), PortOf(text));
  if (next.ok()) address = next.value();
}

}  // namespace

struct NameWatch::Name {
  Name(NameWatch& its_watch, std::string its_host)
      : watch(its_watch),
        host(std::move(its_host)),
        due(
            watch.loop_.deadlines(),
            [](void* self) {
              const auto* name = static_cast<Name*>(self);
              name->watch.Ask(name->host);
            },
            this) {}

  NameWatch& watch;
  const std::string host;
  bool failing = false;  // what was logged last
  Deadline due;          // the next question
};

NameWatch::NameWatch(Loop& loop, Log& log, std::function<void(Config)> changed,
                     const ResolverOptions& options, NamePace pace)
    : loop_(loop), log_(log), changed_(std::move(changed)), pace_(pace), resolver_(loop, options) {}

NameWatch::~NameWatch() = default;

void NameWatch::Adopt(const Config& config) {
  config_ = adopted_ = config;
  std::vector<std::string> hosts;
  for (const BackendConfig& backend : config.backends) {
    for (const std::string& text : {backend.imap_text, backend.pop3_text}) {
      std::string host = HostOf(text);
      if (host.empty() || std::find(hosts.begin(), hosts.end(), host) != hosts.end()) continue;
      hosts.push_back(std::move(host));
    }
  }
  std::erase_if(names_, [&](const std::unique_ptr<Name>& name) {
    return std::find(hosts.begin(), hosts.end(), name->host) == hosts.end();
  });
  for (const std::string& host : hosts) {
    if (Find(host) != nullptr) continue;
    names_.push_back(std::make_unique<Name>(*this, host));
    names_.back()->due.Arm(MonotonicNow());
  }
}

NameWatch::Name* NameWatch::Find(const std::string& host) {
  for (const std::unique_ptr<Name>& name : names_) {
    if (name->host == host) return name.get();
  }
  return nullptr;
}

void NameWatch::Ask(const std::string& host) {
  resolver_.Resolve(host, [this, host](const Result<ResolvedName>& result) {
    // It may have left the configuration meanwhile.
    Name* name = Find(host);
    if (name == nullptr || name->due.armed()) return;
    const Duration wait =
        result.ok() ? std::clamp(result.value().ttl, pace_.least, pace_.most) : pace_.least;
    name->due.Arm(MonotonicNow() + wait);
    Tell(*name, result.ok() ? std::string() : result.error().message());
    if (result.ok()) OnAnswer(host, result.value());
  });
}

void NameWatch::Tell(Name& name, const std::string& reason) {
  const bool failing = !reason.empty();
  if (failing == name.failing) return;
  name.failing = failing;
  LogLine line(failing ? "name_unresolved" : "name_resolved");
  line.Text("name", name.host);
  if (failing) line.Text("reason", reason);
  log_.Write(std::move(line));
}

void NameWatch::OnAnswer(const std::string& host, const ResolvedName& found) {
  for (BackendConfig& backend : config_.backends) {
    Refresh(backend.imap_text, host, found, backend.imap);
    Refresh(backend.pop3_text, host, found, backend.pop3);
  }
  // Again and again until it is adopted: it may have been refused. A copy: that changes ours.
  if (!SameAddresses(config_, adopted_)) changed_(Config(config_));
}

}  // namespace postern
