// AdminApi: what the API behind `postern ctl` asks of the server, and the values it gets. The
// server fills in the functions; they are called on its main loop. Knows no HTTP and no JSON.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "postern/base/clock.h"
#include "postern/base/secret.h"
#include "postern/base/status.h"
#include "postern/gateway/session_info.h"

namespace postern {

// One backend as an operator sees it.
struct BackendInfo {
  std::string pool;
  std::string name;
  std::string imap;  // addresses as configured; empty: it does not serve that protocol
  std::string pop3;
  std::string state = "up";   // up failing down draining
  Duration since{};           // how long it has been in that state; zero: not known
  std::string reason;         // why it is not up; empty when it is, or where nothing is known
  std::int64_t sessions = 0;  // of all workers
};

struct CertificateInfo {
  std::string name;
  std::int64_t not_after = 0;  // seconds since 1970
};

// What became of a reload.
struct ReloadOutcome {
  std::uint64_t generation = 0;      // of the configuration that is in force afterwards
  std::vector<std::string> reasons;  // why it was refused, all of them; empty: it was applied
  std::vector<std::string> notes;    // warnings, and what waits for a restart
};

struct StatusInfo {
  std::string version;
  std::string name;  // gateway.name
  Duration uptime{};
  std::uint64_t generation = 1;
  // The last reload, by whatever cause; cause is empty when there was none.
  struct Reload {
    std::string cause;
    Duration ago{};
    std::vector<std::string> reasons;  // empty: it was applied
  } reload;
  std::array<std::int64_t, 4> sessions{};  // by SessionState
  std::size_t max_sessions = 0;
  std::vector<BackendInfo> backends;
  std::vector<CertificateInfo> certificates;
  std::uint64_t log_dropped = 0;
  std::string not_ready;  // as /readyz says it; empty: ready
};

// A function that takes `done` calls it once, on the main loop, at once or on a later turn. done
// may be called when nobody waits any more; it then does nothing.
struct AdminApi {
  // What must be known to change anything; empty: there is no admin.token_file.
  std::function<const Secret&()> token;
  // Of all workers, in any order.
  std::function<void(std::function<void(std::vector<SessionInfo>)> done)> sessions;
  // false: there is no such session.
  std::function<void(const std::string& id, std::function<void(bool)> done)> kick;
  // Of the configuration in force, in its order.
  std::function<std::vector<BackendInfo>()> backends;
  // pool and backend are names of backends(). An error is a sentence: it is draining already, or it
  // is not.
  std::function<void(const std::string& pool, const std::string& backend, Duration window,
                     std::function<void(Status)> done)>
      drain;
  std::function<void(const std::string& pool, const std::string& backend,
                     std::function<void(Status)> done)>
      undrain;
  std::function<void(std::function<void(ReloadOutcome)> done)> reload;
  std::function<StatusInfo()> status;
};

// The content of admin.token_file without the newline at its end. The error names the file: it
// cannot be read, or there is nothing in it, or more than a line.
Result<Secret> ReadAdminToken(const std::string& path);

}  // namespace postern
