// The command line: postern run, check, ctl, --version. Reads arguments, calls the server, prints
// for people.
#include <signal.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <string>

#include "postern/net/tls.h"
#include "postern/server/config.h"
#include "postern/server/ctl.h"
#include "postern/server/server.h"

namespace {

constexpr int kOk = 0;
constexpr int kFailed = 1;
constexpr int kUsage = 2;

constexpr const char* kDescription =
    "Postern, a mail gateway: terminates TLS for IMAP and POP3, relays each session to a backend,\n"
    "and measures every command on the way.";
constexpr const char* kExamples =
    "Examples:\n"
    "  postern check -c postern.toml           is the configuration right? all errors at once\n"
    "  postern check -c postern.toml --print   the same, with every default written out\n"
    "  postern run -c postern.toml             serve; SIGHUP reloads, SIGTERM drains and ends\n"
    "  postern check --help                    every key of the configuration, with its default\n"
    "\n"
    "Once it runs:\n"
    "  postern ctl status                      is all well? postern ctl --help has the rest\n"
    "  curl http://127.0.0.1:9143/metrics      every command counted and timed (admin.address)\n"
    "  curl http://127.0.0.1:9143/readyz       does it take sessions?\n"
    "\n"
    "More in postern(1) and postern.toml(5).\n"
    "Exit status: 0 all is well, 1 an error, 2 the command line was not understood.\n";

std::string VersionText() {
  return std::string("postern ") + POSTERN_VERSION + "\ncompiler:  " +
#if defined(__clang__)
         "clang " __clang_version__
#else
         "g++ " __VERSION__
#endif
         + "\nBoringSSL: " + postern::TlsLibraryText() + "\nlibuv:     " + postern::UvLibraryText();
}

// True when there are no errors. Prints what there is to standard error.
bool Report(const postern::ConfigErrors& errors) {
  for (const std::string& error : errors.errors) std::cerr << error << '\n';
  for (const std::string& warning : errors.warnings) std::cerr << warning << " (warning)\n";
  return errors.errors.empty();
}

postern::Config Load(const std::string& file, postern::ConfigErrors& errors) {
  postern::Config config = postern::LoadConfig(file, errors);
  postern::CheckFiles(config, errors);
  postern::ResolveBackends(config, errors);
  return config;
}

int Check(const std::string& file, bool print) {
  postern::ConfigErrors errors;
  const postern::Config config = Load(file, errors);
  if (!Report(errors)) {
    std::cerr << file << ": " << errors.errors.size()
              << (errors.errors.size() == 1 ? " error\n" : " errors\n");
    return kFailed;
  }
  if (print) {
    std::cout << postern::PrintConfig(config);
  } else {
    std::cout << file << ": good\n";
  }
  return kOk;
}

int Run(const std::string& file) {
  postern::ConfigErrors errors;
  const postern::Config config = Load(file, errors);
  if (!Report(errors)) return kFailed;
  for (const postern::Status& status :
       {postern::CheckUser(config), postern::CheckNoOtherTlsLibrary()}) {
    if (status.ok()) continue;
    std::cerr << "postern: " << status.message() << '\n';
    return kFailed;
  }
  return postern::RunServer(config);
}

void AddFileOption(CLI::App& command, std::string& file) {
  command.add_option("-c,--config", file, "the configuration file")
      ->type_name("FILE")
      ->capture_default_str();
}

CLI::App& AddCtl(CLI::App& app, postern::CtlRequest& request) {
  using Verb = postern::CtlRequest::Verb;
  CLI::App& ctl = *app.add_subcommand("ctl", "ask a running gateway, or tell it what to do");
  ctl.require_subcommand(1);
  ctl.footer(postern::kCtlHelp);
  AddFileOption(ctl, request.config);
  ctl.add_option("--address", request.address,
                 "where the gateway's admin listener is; without it admin.address of the file")
      ->type_name("HOST:PORT|unix:PATH");
  ctl.add_flag("--json", request.json, "print the answer as JSON, as it came");
  const auto add = [&](const char* name, const char* what, Verb verb) -> CLI::App& {
    CLI::App& command = *ctl.add_subcommand(name, what);
    command.fallthrough();
    command.callback([&request, verb] { request.verb = verb; });
    return command;
  };
  const auto add_for = [&](const char* name, const char* what, Verb verb) -> CLI::App& {
    CLI::App& command = add(name, what, verb);
    command.add_option("POOL/BACKEND", request.subject, "as backends lists them")->required();
    return command;
  };
  add("status", "is all well? exit status 1 when not", Verb::kStatus);
  add("sessions", "who is here, oldest first", Verb::kSessions);
  add("kick", "end a session at its next command boundary", Verb::kKick)
      .add_option("ID", request.subject, "as sessions lists it")
      ->required();
  add("backends", "the backends, how they are and how many sessions they have", Verb::kBackends);
  add_for("drain", "send nobody new to a backend, and its sessions away", Verb::kDrain)
      .add_option("--window", request.window, "the time over which its sessions leave")
      ->type_name("TIME")
      ->capture_default_str();
  add_for("undrain", "let a backend take sessions again", Verb::kUndrain);
  add("reload", "read the configuration again, and say whether it was applied", Verb::kReload);
  return ctl;
}

}  // namespace

int main(int argc, char** argv) {
  // A peer or a reader of our output that goes away is an error of one write, not the end of the
  // process.
  signal(SIGPIPE, SIG_IGN);
  CLI::App app(kDescription, "postern");
  app.footer(kExamples);
  app.require_subcommand(1);
  app.set_version_flag("--version", VersionText, "print the versions of Postern and its libraries");

  std::string file = "/etc/postern/postern.toml";
  bool print = false;
  CLI::App& run = *app.add_subcommand("run", "run in the foreground until SIGTERM or SIGINT");
  AddFileOption(run, file);
  CLI::App& check = *app.add_subcommand(
      "check", "check the configuration and the files it names; all errors at once");
  AddFileOption(check, file);
  check.add_flag("--print", print, "print the effective configuration");
  check.footer("The configuration is TOML. Its keys:\n\n" + postern::DescribeKeys());
  postern::CtlRequest request;
  CLI::App& ctl = AddCtl(app, request);

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kOk : kUsage;
  }
  if (ctl.parsed()) return postern::RunCtl(request, std::cout, std::cerr);
  return check.parsed() ? Check(file, print) : Run(file);
}
