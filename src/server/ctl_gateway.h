// Where the gateway of a configuration is, and one question to it. Blocks.
#pragma once

#include <string>

#include "postern/base/clock.h"
#include "postern/base/secret.h"
#include "postern/base/status.h"

namespace postern {

struct GatewayPlace {
  std::string address = "127.0.0.1:9143";  // host:port or unix:PATH
  std::string token_file;                  // empty: none
};

// Reads no more of the file than these two keys: it may be wrong elsewhere, and what it names need
// not be readable.
Result<GatewayPlace> FindGateway(const std::string& config_file);

struct GatewayQuestion {
  bool post = false;
  std::string target;             // "/api/v1/kick?id=..."
  const Secret* token = nullptr;  // null: none is sent
  Duration patience{};            // for the whole answer
};

struct GatewayAnswer {
  unsigned status = 0;
  std::string body;
};

// The error says what failed; the address is the caller's to name.
Result<GatewayAnswer> AskGateway(const std::string& address, const GatewayQuestion& question);

// Text as it stands in a query.
std::string QueryText(std::string_view text);

}  // namespace postern
