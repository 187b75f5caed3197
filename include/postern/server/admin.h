// Admin: the HTTP listener of operators: /metrics, /healthz, /readyz, and the API behind `postern
// ctl`. Runs on the server's main loop, never on a worker's. Bounded: 8 connections, 4 KiB of
// request, 1 s for a request, and a time for each answer that has to be waited for.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "postern/base/status.h"
#include "postern/net/loop.h"
#include "postern/server/admin_api.h"

namespace postern {

struct AdminContent {
  std::function<std::string()> metrics;
  // Empty when ready, else why not; /readyz answers 503 with the sentence.
  std::function<std::string()> not_ready;
  // Without its functions there is no API: its paths are not found.
  AdminApi api;
};

class Admin {
 public:
  // address: host:port (port 0 takes a free one) or unix:PATH.
  static Result<std::unique_ptr<Admin>> Open(Loop& loop, const std::string& address,
                                             AdminContent content);
  virtual ~Admin() = default;
  // host:port as bound, or unix:PATH.
  virtual const std::string& address() const = 0;
};

}  // namespace postern
