// Backends, workers and the process.
#include <string>

#include "metrics/collect.h"
#include "metrics/process.h"

namespace postern {
namespace {

std::string CompilerText() {
#if defined(__clang__)
  return "clang " __clang_version__;
#else
  return "g++ " __VERSION__;
#endif
}

void CollectBackendTimes(const Source& source, Exposition& out) {
  out.Histograms("postern_backend_command_seconds",
                 "The durations of commands, by the backend that answered.");
  for (std::size_t protocol = 0; protocol < kProtocolCount; ++protocol) {
    for (std::size_t backend = 0; backend <= source.names.backends.size(); ++backend) {
      out.Used({{"protocol", kProtocolNames[protocol]},
                {"pool", source.pool_of_backend(backend)},
                {"backend", source.backend(backend)}},
               source.SumHistograms([&](const auto& data) -> auto& {
                 return data.backends[backend].command[protocol];
               }));
    }
  }
}

}  // namespace

void CollectBackends(const Source& source, const ProcessFigures& figures, Exposition& out) {
  // Behind the slot for "none".
  const std::size_t end = source.names.backends.size() + 1;
  CollectBackendTimes(source, out);
  out.Gauges("postern_backend_up", "1 when new sessions may go to the backend.");
  for (std::size_t backend = 1; figures.backend_up && backend < end; ++backend) {
    const bool up = figures.backend_up(static_cast<BackendId>(backend - 1));
    out.Sample({{"pool", source.pool_of_backend(backend)}, {"backend", source.backend(backend)}},
               up ? 1.0 : 0.0);
  }
  out.Gauges("postern_backend_state", "1 for the state that the backend is in, 0 for the others.");
  for (std::size_t backend = 1; figures.backend_state && backend < end; ++backend) {
    const std::string_view state = figures.backend_state(static_cast<BackendId>(backend - 1));
    for (const std::string_view name : kBackendStateNames) {
      out.Sample({{"pool", source.pool_of_backend(backend)},
                  {"backend", source.backend(backend)},
                  {"state", name}},
                 name == state ? 1.0 : 0.0);
    }
  }
  out.Gauges("postern_backend_sessions", "Sessions that are connected to the backend.");
  for (std::size_t backend = 1; backend < end; ++backend) {
    const std::uint64_t sessions =
        source.Sum([&](const auto& data) -> auto& { return data.backends[backend].sessions; });
    out.Sample({{"pool", source.pool_of_backend(backend)}, {"backend", source.backend(backend)}},
               static_cast<double>(static_cast<std::int64_t>(sessions)));
  }
  out.Counters("postern_backend_failures_total", "Backend connections given up, by why.");
  for (std::size_t backend = 1; backend < end; ++backend) {
    for (std::size_t reason = 0; reason < kFailureNames.size(); ++reason) {
      out.Used({{"pool", source.pool_of_backend(backend)},
                {"backend", source.backend(backend)},
                {"reason", kFailureNames[reason]}},
               source.Sum([&](const auto& data) -> auto& {
                 return data.backends[backend].failures[reason];
               }));
    }
  }
}

void CollectWorkers(const Source& source, Exposition& out) {
  out.Histograms("postern_loop_turn_seconds", "How long one turn keeps a worker's loop busy.");
  for (std::size_t worker = 0; worker < source.workers; ++worker) {
    HistogramSum turns;
    turns.Add(&source.shards[worker]->loop_turn);
    out.Used({{"worker", std::to_string(worker)}}, turns);
  }
  out.Counters("postern_admission_rejected_total", "Connections refused by a limit of ours.");
  for (std::size_t reason = 0; reason < kAdmissionNames.size(); ++reason) {
    out.Sample({{"reason", kAdmissionNames[reason]}}, source.Sum([&](const auto& data) -> auto& {
      return data.admission_rejected[reason];
    }));
  }
}

void CollectProcess(const Source& source, const ProcessFigures& figures, Exposition& out) {
  out.Gauges("postern_build_info", "1; the labels say what was built.");
  out.Sample({{"version", figures.version},
              {"compiler", CompilerText()},
              {"tls_library", figures.tls_library}},
             1.0);
  out.Gauges("postern_certificate_expiry_timestamp_seconds",
             "When the certificate expires, seconds since 1970.");
  const std::size_t certificates =
      figures.certificate_not_after ? source.names.certificates.size() : 0;
  for (std::size_t i = 0; i < certificates; ++i) {
    out.Sample({{"name", source.names.certificates[i]}},
               static_cast<double>(figures.certificate_not_after(i)));
  }
  out.Counters("postern_config_reloads_total", "Reloads of the configuration or certificates.");
  if (figures.reloads_applied) out.Sample({{"result", "ok"}}, figures.reloads_applied());
  if (figures.reloads_refused) out.Sample({{"result", "refused"}}, figures.reloads_refused());
  out.Gauges("postern_config_generation", "1 for what the process started with, 1 more a reload.");
  if (figures.reloads_applied) {
    out.Sample({}, static_cast<double>(figures.reloads_applied() + 1));
  }
  out.Counters("postern_log_dropped_total", "Log lines that could not be written in time.");
  if (figures.log_dropped) out.Sample({}, figures.log_dropped());

  const ProcessState state = ReadProcessState();
  out.Counters("process_cpu_seconds_total", "User and system CPU time of the process.");
  out.Sample({}, state.cpu_seconds);
  const auto gauge = [&](std::string_view name, std::string_view help, double value) {
    out.Gauges(name, help);
    out.Sample({}, value);
  };
  gauge("process_resident_memory_bytes", "Resident memory.", state.resident_memory_bytes);
  gauge("process_virtual_memory_bytes", "Virtual memory.", state.virtual_memory_bytes);
  gauge("process_open_fds", "Open file descriptors.", state.open_fds);
  gauge("process_max_fds", "The limit of open file descriptors.", state.max_fds);
  gauge("process_start_time_seconds", "When the process started, seconds since 1970.",
        state.start_time_seconds);
}

}  // namespace postern
