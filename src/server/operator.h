// What operators may ask of the running gateway and do to it (postern ctl), in terms of its parts.
// The functions run on the main loop and live as long as the parts do.
#pragma once

#include "postern/base/clock.h"
#include "postern/base/secret.h"
#include "postern/server/admin_api.h"
#include "server/fleet.h"
#include "server/prober.h"
#include "server/reloader.h"

namespace postern {

struct OperatorParts {
  Loop& loop;
  Fleet& fleet;
  Reloader& reloader;
  const Log& log;
  const Secret& token;
  Instant started;
  std::function<std::string()> not_ready;
  std::function<Prober::Standing(BackendId)> standing;
};

AdminApi MakeAdminApi(OperatorParts parts);

}  // namespace postern
