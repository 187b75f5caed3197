// Lookups: all [[lookup]] tables of one configuration, ready to be asked; and LookupThread, the
// loop on which requests to other machines run, so that no worker waits for them. The thread
// outlives every reload; a Lookups object lives as long as anybody asks it.
#pragma once

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "postern/base/log.h"
#include "postern/gateway/lookup.h"
#include "postern/gateway/routes.h"
#include "postern/metrics/shard.h"
#include "postern/net/tls.h"

namespace postern {

// One lookup as it is to be made.
struct LookupSettings {
  enum class Type : std::uint8_t { kFile, kHttp, kRedis };
  Type type = Type::kFile;
  std::string name;
  LookupSlot slot = 0;
  std::string path;
  std::string url;
  std::string command;
  std::string user;
  Secret password;
  ClientTlsSettings verification;  // https, rediss
  Duration timeout{};
  Duration ttl{};
  Duration stale{};
};

// The names that answers may use; indices are the ids. Addresses are those of the configuration:
// what a lookup names must be among them.
struct LookupTargets {
  std::vector<Pool> pools;
  std::vector<Backend> backends;
};

// What Make would say of a file of users, for who only checks a configuration. Addresses may be
// left out. Reads all of it: not on a loop's thread.
Status CheckUserFile(const std::string& path, const LookupTargets& targets);

class LookupThread {
 public:
  LookupThread(const ShardSize& size, Log& log);
  // No question is under way any more that is not answered.
  ~LookupThread();
  LookupThread(const LookupThread&) = delete;
  LookupThread& operator=(const LookupThread&) = delete;

  // Written on the thread only.
  const Shard& shard() const;

  // Reads files and connects to nothing yet. The error names the file and the lines that are wrong
  // (the first ten), or what of a URL is. May take seconds: not on a loop's thread. Null when there
  // are no settings.
  Result<std::shared_ptr<Lookup>> Make(std::vector<LookupSettings> settings, LookupTargets targets);

 private:
  struct Inner;
  std::unique_ptr<Inner> inner_;
};

}  // namespace postern
