#include "engine/forward.h"

#include <optional>
#include <string_view>

#include "postern/imap/head.h"

namespace postern {
namespace {

constexpr std::string_view kAddressCharacters = "0123456789abcdefABCDEF.:";

bool IsNumeric(std::string_view address) {
  return !address.empty() && address.find_first_not_of(kAddressCharacters) == address.npos;
}

void AddPair(std::string& list, std::string_view key, std::string_view value) {
  const std::optional<std::string> quoted = imap::Quote(value);
  if (value.empty() || !quoted) return;
  list.append(list.empty() ? "" : " ").append("\"").append(key).append("\" ").append(*quoted);
}

// An address without a port is worth saying; a port without an address is not.
void AddEndpoint(std::string& list, std::string_view which, std::string_view address,
                 std::uint16_t port) {
  if (!IsNumeric(address)) return;
  AddPair(list, std::string(which) + "-ip", address);
  if (port != 0) AddPair(list, std::string(which) + "-port", std::to_string(port));
}

}  // namespace

std::string ImapId(const ClientFacts& client) {
  std::string list;
  AddEndpoint(list, "x-originating", client.address, client.port);
  AddEndpoint(list, "x-connected", client.local_address, client.local_port);
  AddPair(list, "x-session-id", client.session);
  return list.empty() ? "ID NIL" : "ID (" + list + ")";
}

std::string Pop3Xclient(const ClientFacts& client) {
  if (!IsNumeric(client.address)) return {};
  std::string line = "XCLIENT ADDR=" + std::string(client.address);
  if (client.port != 0) line += " PORT=" + std::to_string(client.port);
  return line;
}

}  // namespace postern
