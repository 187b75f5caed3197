// F-11: what a backend is told of the client's address, made of facts of any bytes. Input: four
// bytes for the ports, then the address, our own address and the session's name, each ended by LF.
//
// A violation aborts: each command is one line; read back by a reader written for this file it
// gives exactly the facts that went in, each at most once, and what is left out could not be said
// (an address that is none, a string with CR, LF, NUL or 8-bit octets).
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "engine/forward.h"
#include "postern/base/check.h"

namespace postern::testing {
namespace {

using Fields = std::map<std::string, std::string>;

bool LooksNumeric(std::string_view address) {
  return !address.empty() && address.find_first_not_of("0123456789abcdefABCDEF.:") == address.npos;
}

bool FitsQuotes(std::string_view text) {
  for (const char c : text) {
    const auto octet = static_cast<unsigned char>(c);
    if (octet == 0 || octet == '\r' || octet == '\n' || octet >= 0x80) return false;
  }
  return true;
}

// One quoted string (RFC 9051 section 9, quoted), and nothing else of the text.
std::optional<std::string> TakeQuoted(std::string_view& text) {
  if (text.empty() || text.front() != '"') return std::nullopt;
  std::string value;
  for (std::size_t i = 1; i < text.size(); ++i) {
    char c = text[i];
    if (c == '"') {
      text.remove_prefix(i + 1);
      return value;
    }
    if (c == '\\') {
      if (++i == text.size() || (text[i] != '"' && text[i] != '\\')) return std::nullopt;
      c = text[i];
    }
    value += c;
  }
  return std::nullopt;
}

// ID NIL or ID ("k" "v" "k" "v"); aborts on anything else.
Fields ReadId(std::string_view command) {
  Fields fields;
  if (command == "ID NIL") return fields;
  POSTERN_CHECK(command.starts_with("ID (") && command.ends_with(')'));
  command.remove_prefix(4);
  while (true) {
    const std::optional<std::string> key = TakeQuoted(command);
    POSTERN_CHECK(key && command.starts_with(' '));
    command.remove_prefix(1);
    const std::optional<std::string> value = TakeQuoted(command);
    POSTERN_CHECK(value && fields.emplace(*key, *value).second);
    if (command == ")") return fields;
    POSTERN_CHECK(command.starts_with(' '));
    command.remove_prefix(1);
  }
}

// XCLIENT K=V K=V.
Fields ReadXclient(std::string_view line) {
  Fields fields;
  if (line.empty()) return fields;
  POSTERN_CHECK(line.starts_with("XCLIENT "));
  line.remove_prefix(8);
  while (true) {
    const std::size_t space = line.find(' ');
    const std::string_view pair = line.substr(0, space);
    const std::size_t equals = pair.find('=');
    POSTERN_CHECK(equals != pair.npos);
    POSTERN_CHECK(fields.emplace(pair.substr(0, equals), pair.substr(equals + 1)).second);
    if (space == line.npos) return fields;
    line.remove_prefix(space + 1);
  }
}

void Expect(Fields& fields, const std::string& address_key, const std::string& port_key,
            std::string_view address, std::uint16_t port) {
  if (!LooksNumeric(address)) return;
  fields[address_key] = address;
  if (port != 0) fields[port_key] = std::to_string(port);
}

std::string_view TakeLine(std::string_view& bytes) {
  const std::size_t end = bytes.find('\n');
  const std::string_view line = bytes.substr(0, end);
  bytes = end == bytes.npos ? std::string_view() : bytes.substr(end + 1);
  return line;
}

void Check(const std::array<std::uint16_t, 2>& ports, std::string_view bytes) {
  ClientFacts facts;
  facts.port = ports[0];
  facts.local_port = ports[1];
  facts.address = TakeLine(bytes);
  facts.local_address = TakeLine(bytes);
  facts.session = bytes;
  Fields id, xclient;
  Expect(id, "x-originating-ip", "x-originating-port", facts.address, facts.port);
  Expect(id, "x-connected-ip", "x-connected-port", facts.local_address, facts.local_port);
  if (!facts.session.empty() && FitsQuotes(facts.session)) id["x-session-id"] = facts.session;
  Expect(xclient, "ADDR", "PORT", facts.address, facts.port);
  const std::string command = ImapId(facts), line = Pop3Xclient(facts);
  POSTERN_CHECK(FitsQuotes(command) && FitsQuotes(line));
  POSTERN_CHECK(ReadId(command) == id);
  POSTERN_CHECK(ReadXclient(line) == xclient);
}

}  // namespace
}  // namespace postern::testing

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 4 || size > 4096) return 0;
  const auto number = [data](std::size_t at) {
    return static_cast<std::uint16_t>(data[at] << 8 | data[at + 1]);
  };
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  postern::testing::Check({number(0), number(2)}, bytes.substr(4));
  return 0;
}
