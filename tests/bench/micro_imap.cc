// Nanoseconds and allocations of the IMAP syntax layer, on what a busy relay sees most.

#include <benchmark/benchmark.h>

#include <string>
#include <string_view>

#include "micro_allocations.h"
#include "postern/imap/command.h"
#include "postern/imap/framer.h"
#include "postern/imap/head.h"
#include "postern/imap/response.h"

namespace postern::imap {
namespace {

constexpr std::size_t kMaxLine = 64 * 1024;
constexpr std::size_t kHeadLimit = 1024;
constexpr std::size_t kMaxTag = 64;
constexpr std::string_view kNoop = "A12345 NOOP\r\n";
constexpr std::string_view kFetch =
    "A12345 UID FETCH 4817:4916 (UID FLAGS RFC822.SIZE BODY.PEEK[HEADER.FIELDS (From Date)])\r\n";
constexpr std::string_view kFetchLine = "* 4817 FETCH (UID 99123 FLAGS (\\Seen \\Answered))\r\n";

std::string Repeated(std::string_view text, int times) {
  std::string made;
  for (int n = 0; n < times; ++n) made += text;
  return made;
}

// 16 commands in one arrival, as a pipelining client sends them. One iteration is all 16.
void CommandFramer16Noops(benchmark::State& state) {
  const std::string input = Repeated(kNoop, 16);
  CommandFramer framer;
  const AllocationsPerIteration allocations(state);
  for (auto _ : state) {
    for (std::string_view rest = input; !rest.empty();) {
      rest.remove_prefix(framer.Next(rest, kMaxLine).size);
    }
  }
  state.SetItemsProcessed(state.iterations() * 16);
}
BENCHMARK(CommandFramer16Noops);

void CommandFramerLongFetch(benchmark::State& state) {
  CommandFramer framer;
  const AllocationsPerIteration allocations(state);
  for (auto _ : state) benchmark::DoNotOptimize(framer.Next(kFetch, kMaxLine));
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(kFetch.size()));
}
BENCHMARK(CommandFramerLongFetch);

// 100 untagged FETCH lines and their tagged end: a phone looking at flags.
void ResponseFramer100Fetches(benchmark::State& state) {
  const std::string input = Repeated(kFetchLine, 100) + "A12345 OK done\r\n";
  ResponseFramer framer;
  const AllocationsPerIteration allocations(state);
  for (auto _ : state) {
    for (std::string_view rest = input; !rest.empty();) {
      rest.remove_prefix(framer.Next(rest, kHeadLimit).size);
    }
  }
  state.SetItemsProcessed(state.iterations() * 101);
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(input.size()));
}
BENCHMARK(ResponseFramer100Fetches);

// A message of 1 MB as it comes from the kernel, 64 KiB at a time: literals cost nothing by length.
void ResponseFramerMegabyteLiteral(benchmark::State& state) {
  constexpr std::size_t kMessage = 1 << 20;
  std::string input = "* 1 FETCH (BODY[] {" + std::to_string(kMessage) + "}\r\n";
  input += std::string(kMessage, 'm') + ")\r\nA12345 OK done\r\n";
  ResponseFramer framer;
  const AllocationsPerIteration allocations(state);
  for (auto _ : state) {
    for (std::string_view rest = input; !rest.empty();) {
      rest.remove_prefix(framer.Next(rest.substr(0, 64 * 1024), kHeadLimit).size);
    }
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(input.size()));
}
BENCHMARK(ResponseFramerMegabyteLiteral);

void ParseNoop(benchmark::State& state) {
  const std::string_view line = kNoop.substr(0, kNoop.size() - 2);
  const AllocationsPerIteration allocations(state);
  for (auto _ : state) benchmark::DoNotOptimize(ParseCommandStart(line, kMaxTag));
}
BENCHMARK(ParseNoop);

// The whole judgement of a long command line: beginning, shape of the arguments.
void JudgeLongFetch(benchmark::State& state) {
  const std::string_view line = kFetch.substr(0, kFetch.size() - 2);
  const AllocationsPerIteration allocations(state);
  for (auto _ : state) {
    const CommandStart start = ParseCommandStart(line, kMaxTag);
    HeadScanner scanner(16);
    benchmark::DoNotOptimize(scanner.Scan(line.substr(start.arguments), false));
  }
}
BENCHMARK(JudgeLongFetch);

}  // namespace
}  // namespace postern::imap
