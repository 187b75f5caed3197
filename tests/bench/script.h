// What a load session says: a conversation of steps, the same for every session.
//
// A value, made once from the command line; immutable afterwards. Knows the verbs that matter to a
// client (what kind of answer comes, whether a literal follows), nothing of sockets.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace postern {

enum class Protocol { kImap, kPop3 };

// How the answer to a step ends.
enum class Ending {
  kGreeting,   // the backend's first line
  kTagged,     // IMAP: the line with our tag
  kLine,       // POP3: one line
  kMultiLine,  // POP3: up to the line of one dot
  kMessage,    // POP3: `+OK n octets`, n octets, the line of one dot
};

struct Step {
  std::string text;     // without tag and CRLF; "{user}" becomes the session's own name
  uint64_t upload = 0;  // octets of the literal announced at the end of `text`
  bool idle = false;    // IMAP IDLE: DONE follows the `+` at once
  Ending ending = Ending::kTagged;
};

struct Script {
  Protocol protocol = Protocol::kImap;
  std::vector<Step> steps;  // greeting and login, then what the workload repeats, then the farewell
  size_t loop_begin = 0;    // steps from here on are repeated, unless every operation reconnects
};

// `lines` is what the workload does between login and farewell. The farewell is part of the script
// only when every operation is a connection of its own (`reconnect`).
Script MakeScript(Protocol protocol, const std::vector<std::string>& lines, bool reconnect);

// Wall clock for latencies and pacing, in nanoseconds.
int64_t NowNs();

// CPU time in nanoseconds that all threads of these processes, ended ones included, have used.
int64_t CpuNs(const std::vector<int>& pids);

// Latencies in buckets of about 1.6 % width.
class Latencies {
 public:
  Latencies() : counts_(kBuckets) {}
  void Add(int64_t ns);
  double QuantileUs(double q) const;

 private:
  static constexpr int kSteps = 64;  // per doubling
  static constexpr int kBuckets = 40 * kSteps;
  std::vector<uint64_t> counts_;
  uint64_t total_ = 0;
};

}  // namespace postern
