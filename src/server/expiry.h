// Expiry: says in the log when a certificate has 30, 14, 7 days or one day left, and when it has
// expired; each once. Owned by the server; main thread. Pure but for the log.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "postern/base/log.h"

namespace postern {

class Expiry {
 public:
  explicit Expiry(Log& log) : log_(log) {}
  // Forgets what was said: the certificates were read anew.
  void Reset(std::size_t count) { said_.assign(count, kNothing); }
  // seconds since 1970, both.
  void Look(std::size_t index, const std::string& name, std::int64_t not_after, std::int64_t now);

 private:
  static constexpr std::int64_t kNothing = INT64_MAX;
  Log& log_;
  std::vector<std::int64_t> said_;  // the threshold that was told last, in days
};

}  // namespace postern
