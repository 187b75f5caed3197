#include "server/probe_offer.h"

#include <algorithm>
#include <map>
#include <utility>

#include "postern/base/text.h"
#include "postern/imap/capability.h"

namespace postern {
namespace {

bool Has(const std::vector<std::string>& names, const std::string& name) {
  return std::any_of(names.begin(), names.end(),
                     [&](const std::string& other) { return EqualsNoCase(other, name); });
}

// Not what every listener offers anyway, nor what is about the connection to the backend.
bool MayBeOffered(const ProbedBackend& backend, const std::string& name) {
  if (EqualsNoCase(name, "IMAP4rev1") || EqualsNoCase(name, "SASL-IR")) return false;
  return backend.pass_capabilities == nullptr ? imap::MayPass(name)
                                              : imap::MayPass(name, *backend.pass_capabilities);
}

// Whether something is known of every pool that serves the protocol, and there is one.
bool AllPoolsKnown(const std::vector<ProbedBackend>& backends, Protocol protocol) {
  std::map<PoolId, bool> known;
  for (const ProbedBackend& backend : backends) {
    if (backend.protocol == protocol) known[backend.pool] |= backend.findings != nullptr;
  }
  return !known.empty() &&
         std::all_of(known.begin(), known.end(), [](const auto& pool) { return pool.second; });
}

template <typename Visit>
void EachKnown(const std::vector<ProbedBackend>& backends, Protocol protocol, Visit visit) {
  for (const ProbedBackend& backend : backends) {
    if (backend.protocol == protocol && backend.findings != nullptr) visit(backend);
  }
}

std::vector<std::string> CommonNames(const std::vector<ProbedBackend>& backends) {
  std::vector<std::string> common;
  bool first = true;
  EachKnown(backends, Protocol::kImap, [&](const ProbedBackend& backend) {
    const std::vector<std::string>& names = backend.findings->imap;
    if (std::exchange(first, false)) {
      for (const std::string& name : names) {
        if (!Has(common, name)) common.push_back(name);
      }
    }
    std::erase_if(common, [&](const std::string& name) {
      return !Has(names, name) || !MayBeOffered(backend, name);
    });
  });
  return common;
}

}  // namespace

CommonOffer OfferOf(const std::vector<ProbedBackend>& backends) {
  CommonOffer offer;
  if (AllPoolsKnown(backends, Protocol::kImap)) offer.imap = CommonNames(backends);
  offer.pop3_utf8 = AllPoolsKnown(backends, Protocol::kPop3);
  EachKnown(backends, Protocol::kPop3,
            [&](const ProbedBackend& backend) { offer.pop3_utf8 &= backend.findings->pop3_utf8; });
  return offer;
}

}  // namespace postern
