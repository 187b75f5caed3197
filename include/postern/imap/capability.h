// Capabilities (RFC 9051 §7.2.2): what a backend lists, and what of it may pass (DESIGN 2.8). Pure;
// any thread.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace postern::imap {

// A list of capability names in their order, compared without regard to case. A value.
class CapabilitySet {
 public:
  CapabilitySet() = default;
  // From the names behind `CAPABILITY `, separated by spaces.
  static CapabilitySet Parse(std::string_view names);
  // pattern is a name, or ends in '*' for any rest: "AUTH=PLAIN", "THREAD=*".
  bool Has(std::string_view pattern) const;
  // As Has, for any of several patterns separated by '|'.
  bool HasAnyOf(std::string_view patterns) const;
  bool empty() const { return names_.empty(); }
  const std::vector<std::string>& names() const { return names_; }

 private:
  std::vector<std::string> names_;
};

// Whether a backend's capability is one that Postern follows and may tell the client, or one of
// those that the backend is trusted with (pool.pass_capabilities). What would take the session out
// of Postern's sight (COMPRESS, STARTTLS, LITERAL- and their like) never passes.
bool MayPass(std::string_view name, std::span<const std::string> trusted = {});
// The names behind `CAPABILITY ` as the client may see them after login: those that may pass, in
// their order, and LITERAL+ and ID, which are ours. No leading or trailing space.
std::string FilterCapabilities(std::string_view names, std::span<const std::string> trusted = {});

}  // namespace postern::imap
