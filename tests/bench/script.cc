#include "script.h"

#include <time.h>

#include <algorithm>
#include <cmath>

#include "channel.h"
#include "stub_dialect.h"

namespace postern {
namespace {

Ending EndingOf(Protocol protocol, const std::string& line) {
  if (protocol == Protocol::kImap) return Ending::kTagged;
  const std::string verb = UpperCase(line.substr(0, line.find(' ')));
  if (verb == "RETR" || verb == "TOP") return Ending::kMessage;
  const bool bare = verb.size() == line.size();
  if (verb == "CAPA" || (bare && (verb == "UIDL" || verb == "LIST"))) return Ending::kMultiLine;
  return Ending::kLine;
}

Step MakeStep(Protocol protocol, const std::string& line) {
  Step step;
  step.text = line;
  step.ending = EndingOf(protocol, line);
  step.idle = protocol == Protocol::kImap && line == "IDLE";
  if (protocol == Protocol::kImap && !line.empty() && line.back() == '}') {
    step.upload = NumberAt(line.substr(line.rfind('{') + 1));
  }
  return step;
}

}  // namespace

Script MakeScript(Protocol protocol, const std::vector<std::string>& lines, bool reconnect) {
  Script script;
  script.protocol = protocol;
  script.steps.push_back({"", 0, false, Ending::kGreeting});
  const bool imap = protocol == Protocol::kImap;
  const std::vector<std::string> login =
      imap ? std::vector<std::string>{"LOGIN {user} secret"}
           : std::vector<std::string>{"USER {user}", "PASS secret"};
  for (const std::string& line : login) script.steps.push_back(MakeStep(protocol, line));
  script.loop_begin = script.steps.size();
  for (const std::string& line : lines) script.steps.push_back(MakeStep(protocol, line));
  if (reconnect) script.steps.push_back(MakeStep(protocol, imap ? "LOGOUT" : "QUIT"));
  return script;
}

int64_t NowNs() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1'000'000'000LL + now.tv_nsec;
}

int64_t CpuNs(const std::vector<int>& pids) {
  int64_t sum = 0;
  for (const int pid : pids) {
    clockid_t clock{};
    timespec used{};
    if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &used) != 0) {
      Die("process " + std::to_string(pid) + " is gone: its CPU time cannot be read");
    }
    sum += used.tv_sec * 1'000'000'000LL + used.tv_nsec;
  }
  return sum;
}

void Latencies::Add(int64_t ns) {
  const double doublings = std::log2(static_cast<double>(std::max<int64_t>(ns, 1)));
  const auto bucket = static_cast<size_t>(doublings * kSteps);
  ++counts_[std::min(bucket, counts_.size() - 1)];
  ++total_;
}

double Latencies::QuantileUs(double q) const {
  uint64_t left = static_cast<uint64_t>(q * static_cast<double>(total_));
  for (size_t i = 0; i < counts_.size(); ++i) {
    if (counts_[i] > left) return std::exp2((static_cast<double>(i) + 0.5) / kSteps) / 1000.0;
    left -= counts_[i];
  }
  return 0;
}

}  // namespace postern
