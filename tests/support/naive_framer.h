// NaiveFramer: where commands and responses end, read slowly and obviously from a whole buffer,
// after the law in the headers of src/imap and not after their code. The fast framers must agree
// with it.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace postern::testing {

// What a reader makes of bytes of a client that is logged in at a backend with the base protocol.
// Knows three commands: NOOP, CREATE and SEARCH; others are unknown. Gathered literals up to 4096
// bytes.
struct NaiveCommand {
  enum class Kind { kGood, kClumsy, kDoubt };
  Kind kind;
  std::size_t end;  // behind its last line; 0 for kDoubt, which is the last
  bool operator==(const NaiveCommand& other) const {
    return kind == other.kind && end == other.end;
  }
};
std::vector<NaiveCommand> NaiveCommands(std::string_view bytes);

// The ends of the responses in bytes of a backend; kMalformed as the last one when there is an
// error.
inline constexpr std::size_t kNaiveMalformed = static_cast<std::size_t>(-1);
std::vector<std::size_t> NaiveResponses(std::string_view bytes);

}  // namespace postern::testing
