// The checks of config.h that need the machine: who we are, what the files hold, which names are
// known.
#include <errno.h>
#include <fmt/format.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <ctime>

#include "postern/net/ticket_keys.h"
#include "postern/net/tls.h"
#include "postern/server/config.h"
#include "server/secret_file.h"

namespace postern {
namespace {

constexpr std::int64_t kDay = 24 * 3600;
constexpr std::int64_t kSoon = 14 * kDay;
constexpr std::size_t kLeastToken = 16;  // characters

// A missing chain or key is an error of the file, which is known already.
bool IsWhole(const CertificateConfig& certificate) {
  return !certificate.chain.empty() && !certificate.key.empty();
}

void WarnIfReadable(const std::string& path, std::string_view what, const std::string& place,
                    ConfigErrors& errors) {
  struct stat facts {};
  if (stat(path.c_str(), &facts) != 0 || (facts.st_mode & S_IROTH) == 0) return;
  errors.warnings.push_back(
      fmt::format("{}: everybody on this machine can read {} {}; chmod 0600", place, what, path));
}

void WarnOfExpiry(std::int64_t not_after, const std::string& place, ConfigErrors& errors) {
  const std::int64_t left = not_after - std::time(nullptr);
  if (left < 0) {
    errors.warnings.push_back(
        fmt::format("{}: the certificate expired {} days ago; renew it", place, -left / kDay));
  } else if (left < kSoon) {
    errors.warnings.push_back(
        fmt::format("{}: the certificate expires in {} days; renew it", place, left / kDay));
  }
}

void CheckCertificate(const CertificateConfig& certificate, ConfigErrors& errors) {
  const auto set = CertificateSet::Load({{certificate.chain, certificate.key, certificate.ocsp}});
  if (!set.ok()) {
    errors.errors.push_back(fmt::format("{}: {}", certificate.place, set.error().message()));
    return;
  }
  WarnOfExpiry(set.value()->facts(0).not_after, certificate.place, errors);
  WarnIfReadable(certificate.key, "the key", certificate.place, errors);
}

// Each may be good and they may not go together.
void CheckAllCertificates(const Config& config, ConfigErrors& errors) {
  std::vector<CertificateFiles> files;
  for (const CertificateConfig& each : config.certificates) {
    if (!IsWhole(each)) return;
    files.push_back({each.chain, each.key, each.ocsp});
  }
  if (files.size() < 2) return;
  std::size_t index = 0;
  const auto set = CertificateSet::Load(files, &index);
  if (set.ok()) return;
  errors.errors.push_back(
      fmt::format("{}: {}", config.certificates[index].place, set.error().message()));
}

void CheckTicketKeys(const Config& config, ConfigErrors& errors) {
  if (config.ticket_keys.empty()) return;
  const auto secrets = TicketKeys::ReadFile(config.ticket_keys);
  if (!secrets.ok()) {
    errors.errors.push_back(
        fmt::format("{}: {}", config.ticket_keys_place, secrets.error().message()));
    return;
  }
  WarnIfReadable(config.ticket_keys, "the ticket keys", config.ticket_keys_place, errors);
}

void CheckSecretFile(const std::string& path, std::string_view what, const std::string& place,
                     ConfigErrors& errors, std::size_t least = 0) {
  if (path.empty()) return;
  const Result<Secret> secret = ReadSecretFile(path);
  if (!secret.ok()) {
    errors.errors.push_back(fmt::format("{}: {}", place, secret.error().message()));
    return;
  }
  if (secret.value().size() < least) {
    errors.warnings.push_back(
        fmt::format("{}: {} {} has fewer than {} characters and can be "
                    "guessed; make one with openssl rand -hex 32",
                    place, what, path, least));
  }
  WarnIfReadable(path, what, place, errors);
}

void CheckTrust(const ClientTlsSettings& verification, const std::string& place,
                ConfigErrors& errors) {
  const auto context = TlsContext::ForClient(verification);
  if (context.ok()) return;
  errors.errors.push_back(fmt::format("{}: {}", place, context.error().message()));
}

void CheckPool(const PoolConfig& pool, ConfigErrors& errors) {
  constexpr std::string_view kPassword = "the password";
  if (pool.tls != PoolTls::kNone) CheckTrust(pool.verification, pool.place, errors);
  if (pool.master) CheckSecretFile(pool.master->password_file, kPassword, pool.place, errors);
  CheckSecretFile(pool.probe.password_file, kPassword, pool.place, errors);
}

// Its lines are read by the lookup itself.
void CheckLookup(const LookupConfig& lookup, ConfigErrors& errors) {
  if (!lookup.path.empty() && access(lookup.path.c_str(), R_OK) != 0) {
    errors.errors.push_back(
        fmt::format("{}: {}: cannot be read: {}; name a file of lines of user, tab, pool",
                    lookup.place, lookup.path, strerror(errno)));
  }
  CheckSecretFile(lookup.password_file, "the password", lookup.place, errors);
  if (lookup.ca.empty()) return;
  ClientTlsSettings verification;
  verification.ca_file = lookup.ca;
  CheckTrust(verification, lookup.place, errors);
}

}  // namespace

Status CheckUser(const Config& config) {
  const bool is_root = geteuid() == 0;
  if (config.user.empty()) {
    if (!is_root) return {};
    return Status::Error(
        "running as root; name an account to switch to with gateway.user, or say user = \"root\"");
  }
  const passwd* account = getpwnam(config.user.c_str());
  if (account == nullptr) {
    return Status::Error(fmt::format(
        "gateway.user = \"{}\": there is no such account; make it or name another", config.user));
  }
  if (is_root || account->pw_uid == geteuid()) return {};
  return Status::Error(fmt::format(
      "gateway.user = \"{}\": only root can switch accounts; start as root or leave the key out",
      config.user));
}

void CheckFiles(const Config& config, ConfigErrors& errors) {
  const std::size_t known = errors.errors.size();
  for (const CertificateConfig& certificate : config.certificates) {
    if (IsWhole(certificate)) CheckCertificate(certificate, errors);
  }
  if (errors.errors.size() == known) CheckAllCertificates(config, errors);
  CheckTicketKeys(config, errors);
  for (const PoolConfig& pool : config.pools) CheckPool(pool, errors);
  for (const LookupConfig& lookup : config.lookups) CheckLookup(lookup, errors);
  CheckSecretFile(config.admin_token_file, "the token", config.admin_token_place, errors,
                  kLeastToken);
}

void ResolveBackends(Config& config, ConfigErrors& errors) {
  const auto resolve = [&](Address& address, const std::string& text, const std::string& place) {
    if (text.empty()) return;
    const Result<Address> found = Address::Resolve(text, address);
    if (found.ok()) {
      address = found.value();
      return;
    }
    if (address.family() != AF_UNSPEC) return;  // the last good answer stands
    errors.warnings.push_back(fmt::format("{}: {}; it is looked up again when it is needed", place,
                                          found.error().message()));
  };
  for (BackendConfig& backend : config.backends) {
    resolve(backend.imap, backend.imap_text, backend.place);
    resolve(backend.pop3, backend.pop3_text, backend.place);
  }
}

}  // namespace postern
