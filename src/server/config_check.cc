// The checks of config.h that need the machine: who we are and what the certificate files hold.
#include <fmt/format.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <ctime>

#include "postern/net/tls.h"
#include "postern/server/config.h"

namespace postern {

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

void CheckCertificates(const Config& config, ConfigErrors& errors) {
  constexpr std::int64_t kDay = 24 * 3600;
  for (const CertificateConfig& certificate : config.certificates) {
    // A missing key is an error of the file, which is known already.
    if (certificate.chain.empty() || certificate.key.empty()) continue;
    TlsSettings settings;
    settings.chain_file = certificate.chain;
    settings.key_file = certificate.key;
    settings.minimum_tls13 = config.minimum_tls13;
    settings.alpn = "imap";
    const auto context = TlsContext::ForServer(settings);
    if (!context.ok()) {
      errors.errors.push_back(fmt::format("{}: {}", certificate.place, context.error().message()));
      continue;
    }
    const std::int64_t left = context.value()->not_after() - std::time(nullptr);
    if (left < 0) {
      errors.warnings.push_back(fmt::format("{}: the certificate expired {} days ago; renew it",
                                            certificate.place, -left / kDay));
    } else if (left < 14 * kDay) {
      errors.warnings.push_back(fmt::format("{}: the certificate expires in {} days; renew it",
                                            certificate.place, left / kDay));
    }
    struct stat facts {};
    if (stat(certificate.key.c_str(), &facts) == 0 && (facts.st_mode & S_IROTH) != 0) {
      errors.warnings.push_back(
          fmt::format("{}: everybody on this machine can read the key {}; "
                      "chmod 0600",
                      certificate.place, certificate.key));
    }
  }
}

}  // namespace postern
