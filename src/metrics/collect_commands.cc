// Commands and what they wait for.
#include "metrics/collect.h"

namespace postern {
namespace {

std::string_view CommandText(std::size_t protocol, std::size_t command) {
  if (protocol == static_cast<std::size_t>(Protocol::kImap)) {
    return imap::CommandName(static_cast<imap::CommandKind>(command));
  }
  return pop3::CommandName(static_cast<pop3::CommandKind>(command));
}

// One command towards one pool, over all workers.
struct CommandSums {
  std::string_view protocol;
  std::string_view command;
  std::string_view pool;
  std::array<std::uint64_t, kResultNames.size()> results{};
  HistogramSum duration;
  HistogramSum first_byte;

  void Add(const CommandSeries& series) {
    for (std::size_t i = 0; i < results.size(); ++i) results[i] += series.results[i].value();
    duration.Add(&series.duration);
    first_byte.Add(&series.first_byte);
  }
};

// Read once, so that the families of a scrape agree with each other.
std::vector<CommandSums> SumCommands(const Source& source, std::size_t protocol) {
  std::vector<CommandSums> all;
  const std::size_t slots = source.names.pools.size() + 1;
  for (std::size_t command = 0; command < kCommandCounts[protocol]; ++command) {
    for (std::size_t pool = 0; pool < slots; ++pool) {
      CommandSums sums;
      bool used = false;
      for (const Shard::Data* data : source.shards) {
        const std::size_t slot = data->command_slot(command, pool);
        const CommandSeries* series = data->commands[protocol][slot].peek();
        if (series == nullptr) continue;
        sums.Add(*series);
        used = true;
      }
      if (!used) continue;
      sums.protocol = kProtocolNames[protocol];
      sums.command = CommandText(protocol, command);
      sums.pool = source.pool(pool);
      all.push_back(std::move(sums));
    }
  }
  return all;
}

void EmitCommands(const std::vector<CommandSums>& all, Exposition& out) {
  out.Counters("postern_commands_total", "Commands that ended, by result.");
  for (const CommandSums& sums : all) {
    for (std::size_t i = 0; i < sums.results.size(); ++i) {
      out.Used({{"protocol", sums.protocol},
                {"command", sums.command},
                {"pool", sums.pool},
                {"result", kResultNames[i]}},
               sums.results[i]);
    }
  }
  out.Histograms("postern_command_duration_seconds",
                 "From a command's last byte to the end of the backend's answer, without the time "
                 "the client did not read.");
  for (const CommandSums& sums : all) {
    out.Used({{"protocol", sums.protocol}, {"command", sums.command}, {"pool", sums.pool}},
             sums.duration);
  }
  out.Histograms("postern_backend_first_byte_seconds",
                 "From a command's last byte to the first byte of the backend's answer.");
  for (const CommandSums& sums : all) {
    out.Used({{"protocol", sums.protocol}, {"command", sums.command}, {"pool", sums.pool}},
             sums.first_byte);
  }
}

}  // namespace

void CollectCommands(const Source& source, Exposition& out) {
  std::vector<CommandSums> all;
  std::array<std::uint64_t, kProtocolCount> ended{};
  for (std::size_t protocol = 0; protocol < kProtocolCount; ++protocol) {
    for (CommandSums& sums : SumCommands(source, protocol)) {
      for (const std::uint64_t count : sums.results) ended[protocol] += count;
      all.push_back(std::move(sums));
    }
  }
  // After what ended: what is begun is never less, however busy the workers are.
  std::array<std::uint64_t, kProtocolCount> begun{};
  for (std::size_t protocol = 0; protocol < kProtocolCount; ++protocol) {
    begun[protocol] = source.Sum([&](const auto& data) -> auto& { return data.begun[protocol]; });
  }
  out.Counters("postern_commands_begun_total", "Commands whose first line was read.");
  for (std::size_t i = 0; i < kProtocolCount; ++i) {
    out.Used({{"protocol", kProtocolNames[i]}}, begun[i]);
  }
  out.Gauges("postern_commands_in_flight", "Commands begun and not ended.");
  for (std::size_t i = 0; i < kProtocolCount; ++i) {
    if (begun[i] == 0) continue;
    out.Sample({{"protocol", kProtocolNames[i]}}, begun[i] > ended[i] ? begun[i] - ended[i] : 0);
  }
  EmitCommands(all, out);
}

void CollectTransfers(const Source& source, Exposition& out) {
  const auto emit = [&](std::string_view name, std::string_view help, auto member) {
    out.Histograms(name, help);
    for (std::size_t protocol = 0; protocol < kProtocolCount; ++protocol) {
      for (std::size_t pool = 0; pool <= source.names.pools.size(); ++pool) {
        out.Used({{"protocol", kProtocolNames[protocol]}, {"pool", source.pool(pool)}},
                 source.SumHistograms([&](const auto& data) -> auto& {
                   return data.pools[protocol][pool].*member;
                 }));
      }
    }
  };
  emit("postern_upload_seconds", "The client's time inside literals.", &PoolSeries::upload);
  emit("postern_backend_continue_seconds", "The wait for the backend's + before a literal.",
       &PoolSeries::backend_continue);
  emit("postern_client_stall_seconds",
       "Time in which the backend was not read because the client did not take what it had.",
       &PoolSeries::client_stall);
  out.Histograms("postern_idle_seconds", "How long IDLE commands dwell.");
  for (std::size_t pool = 0; pool <= source.names.pools.size(); ++pool) {
    out.Used({{"pool", source.pool(pool)}},
             source.SumHistograms([&](const auto& data) -> auto& { return data.idle[pool]; }));
  }
}

}  // namespace postern
