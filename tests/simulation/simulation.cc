// The deterministic simulation: whole worlds of sessions, clients and backends, one after the
// other, each from its seed (DESIGN 3). See tests/README.md.
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <string>

#include "postern/base/clock.h"
#include "postern/base/text.h"
#include "simulation/census.h"
#include "simulation/sim_world.h"

namespace postern::testing {
namespace {

struct Options {
  std::uint64_t seed = 1;
  std::size_t sessions = 20;
  std::uint64_t worlds = 1;
  long seconds = 0;  // instead of a number of worlds
  Sabotage sabotage = Sabotage::kNone;
  bool census = false;  // ends with 1 too when something was never met
  std::string expect;   // the law that a sabotaged run must find broken
};

// One world of so many is played again.
constexpr std::uint64_t kCheckedTwice = 50;

constexpr const char* kUsage =
    "simulation [--seed N] [--sessions N] [--worlds N | --seconds N]\n"
    "           [--census 1] [--sabotage NAME --expect LAW]\n"
    "Plays one simulated world per seed, N and the following ones, and ends with 1 at the first\n"
    "broken law; with --census also when what a long run meets was not met. With --expect it ends "
    "with 0 only when that law is found broken.\n";

// For the line that is printed when the program itself ends the process.
std::array<char, 200> reproduction{};

std::string Reproduce(const Scenario& scenario) {
  std::string line = "reproduce: build/tests/simulation --seed " + std::to_string(scenario.seed) +
                     " --sessions " + std::to_string(scenario.sessions);
  if (scenario.sabotage == Sabotage::kNone) return line;
  return line + " --sabotage " +
         std::string(kSabotageNames[static_cast<std::size_t>(scenario.sabotage)]);
}

void OnAbort(int) {
  const std::size_t size = std::char_traits<char>::length(reproduction.data());
  if (write(STDERR_FILENO, reproduction.data(), size) < 0) _exit(2);
  std::signal(SIGABRT, SIG_DFL);
}

struct Finding {
  std::string law, what;
  std::vector<std::string> notes;
};

Finding Play(const Scenario& scenario, Census* census = nullptr) {
  std::snprintf(reproduction.data(), reproduction.size(), "%s\n", Reproduce(scenario).c_str());
  SimWorld world(scenario);
  world.Run();
  if (census != nullptr) census->Add(world.shard().data(), world.steps(), world.most_held());
  return {world.record().law(), world.record().what(), world.record().notes()};
}

// The same seed is the same run, or a reproduction were none.
bool SameAgain(const Scenario& scenario) {
  Census once;
  Census again;
  Play(scenario, &once);
  Play(scenario, &again);
  if (once.Text() == again.Text()) return true;
  std::printf("broken: determinism: two runs of seed %llu differ\n",
              static_cast<unsigned long long>(scenario.seed));
  return false;
}

// The least number of sessions that breaks a law with this seed.
Scenario Shrunk(Scenario scenario) {
  const std::size_t most = scenario.sessions;
  for (std::size_t sessions = 1; sessions < most; ++sessions) {
    scenario.sessions = sessions;
    if (!Play(scenario).law.empty()) return scenario;
  }
  scenario.sessions = most;
  return scenario;
}

void Report(const Scenario& found) {
  Scenario scenario = Shrunk(found);
  scenario.transcript = true;
  const Finding finding = Play(scenario);
  for (const std::string& note : finding.notes) std::printf("%s\n", note.c_str());
  std::printf("\nbroken: %s: %s\n%s\n", finding.law.c_str(), finding.what.c_str(),
              Reproduce(scenario).c_str());
}

std::optional<Options> ParseOptions(int count, char** words) {
  Options options;
  for (int i = 1; i < count; i += 2) {
    const std::string name = words[i];
    if (i + 1 == count) return std::nullopt;
    const std::string value = words[i + 1];
    const std::optional<std::uint64_t> number = ParseNumber(value);
    if (name == "--expect") {
      options.expect = value;
    } else if (name == "--sabotage") {
      const auto* found = std::find(std::begin(kSabotageNames), std::end(kSabotageNames), value);
      if (found == std::end(kSabotageNames)) return std::nullopt;
      options.sabotage = static_cast<Sabotage>(found - std::begin(kSabotageNames));
    } else if (!number) {
      return std::nullopt;
    } else if (name == "--seed") {
      options.seed = *number;
    } else if (name == "--sessions" && *number > 0 && *number < 4000) {
      options.sessions = static_cast<std::size_t>(*number);
    } else if (name == "--census") {
      options.census = *number != 0;
    } else if (name == "--worlds") {
      options.worlds = *number;
    } else if (name == "--seconds") {
      options.seconds = static_cast<long>(*number);
    } else {
      return std::nullopt;
    }
  }
  return options;
}

int RunWorlds(const Options& options) {
  const Instant begin = MonotonicNow();
  const Instant end = begin + std::chrono::seconds(options.seconds);
  std::uint64_t worlds = 0;
  Census census;
  while (options.seconds > 0 ? MonotonicNow() < end : worlds < options.worlds) {
    const Scenario scenario{options.seed + worlds++, options.sessions, options.sabotage, false};
    const Finding finding = Play(scenario, &census);
    if (worlds % kCheckedTwice == 1 && !SameAgain(scenario)) return 1;
    if (finding.law.empty()) continue;
    if (options.expect.empty()) return Report(scenario), 1;
    if (finding.law != options.expect) continue;
    std::printf("found: %s: %s\n", finding.law.c_str(), finding.what.c_str());
    return 0;
  }
  const double seconds = std::chrono::duration<double>(MonotonicNow() - begin).count();
  std::printf("%llu worlds, %llu sessions, %.1f s: every law held\n",
              static_cast<unsigned long long>(worlds),
              static_cast<unsigned long long>(worlds * options.sessions), seconds);
  std::printf("%s", census.Text().c_str());
  const std::string missing = options.census ? census.Missing() : "";
  if (!missing.empty()) std::printf("never met:%s\n", missing.c_str());
  return options.expect.empty() && missing.empty() ? 0 : 1;
}

}  // namespace
}  // namespace postern::testing

int main(int count, char** words) {
  using namespace postern::testing;
  const std::optional<Options> options = ParseOptions(count, words);
  if (!options) return std::fputs(kUsage, stderr), 2;
  std::signal(SIGABRT, OnAbort);
  return RunWorlds(*options);
}
