// ServiceUrl: the address of a lookup's service as the configuration has it. A value; pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "postern/base/status.h"

namespace postern {

struct ServiceUrl {
  bool tls = false;
  std::string host;  // without brackets
  std::uint16_t port = 0;
  std::string path;  // from the slash on, with its query; "/" where there is none

  // "http://host[:port][/path]" and "https://..."; ports 80 and 443.
  static Result<ServiceUrl> Http(std::string_view url);
  // "redis://host[:port][/db]" and "rediss://..."; port 6379.
  static Result<ServiceUrl> Redis(std::string_view url);
  // "host:port" or "[host]:port", for Address::Resolve.
  std::string HostPort() const;
};

}  // namespace postern
