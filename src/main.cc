// The command line: postern run, check, test, explain, ctl, --version. Reads arguments, calls the
// server, prints for people.
#include <signal.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <string>

#include "postern/net/tls.h"
#include "postern/server/config.h"
#include "postern/server/ctl.h"
#include "postern/server/server.h"
#include "server/cli_check.h"
#include "server/cli_rules.h"

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
    "  postern test rules/*.toml               do rules do what their [[test]] tables say?\n"
    "  postern explain -c postern.toml user=ann@example.org client=192.0.2.7 command='DELE 1'\n"
    "                                          which rule decides, and why the others do not\n"
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
         + "\nBoringSSL: " + postern::TlsLibraryText() +
         "\nlibuv:     " + postern::UvLibraryText() + "\nre2:       " + POSTERN_RE2_VERSION;
}

int Run(const std::string& file) {
  postern::ConfigErrors errors;
  const postern::Config config = postern::LoadAll(file, errors);
  if (!postern::Report(errors, std::cerr)) return kFailed;
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

// What the command line says, by command.
struct Arguments {
  std::string file = "/etc/postern/postern.toml";
  postern::CheckOrder check;
  postern::TestOrder test;
  postern::ExplainOrder explain;
  postern::CtlRequest ctl;
};

CLI::App& AddCheck(CLI::App& app, Arguments& arguments) {
  CLI::App& check = *app.add_subcommand(
      "check", "check the configuration, its rules and the files it names; all errors at once");
  AddFileOption(check, arguments.file);
  check.add_flag("--print", arguments.check.print, "print the effective configuration");
  check.footer("The configuration is TOML. Its keys:\n\n" + postern::DescribeKeys());
  return check;
}

CLI::App& AddTest(CLI::App& app, Arguments& arguments) {
  CLI::App& test =
      *app.add_subcommand("test", "run the [[test]] tables of rule files against their rules");
  test.add_option("FILE", arguments.test.files, "rule files")->required();
  test.add_option("--transcript", arguments.test.transcript,
                  "play this conversation against the rules instead, and print both sides")
      ->type_name("FILE");
  return test;
}

CLI::App& AddExplain(CLI::App& app, Arguments& arguments) {
  CLI::App& explain = *app.add_subcommand(
      "explain", "which rule decides for these facts, and why the others do not");
  AddFileOption(explain, arguments.file);
  explain.add_option("KEY=VALUE", arguments.explain.facts, "what is known of a session");
  explain.footer(
      "Keys: " + postern::DescribeFacts() +
      "\nWhat is not given is not known; but time is now, and tls_version 1.3.\n"
      "Exit status: 0 explained, 1 a mistake in the configuration or its rules, 2 a fact "
      "that is none.\n");
  return explain;
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

  Arguments arguments;
  CLI::App& run = *app.add_subcommand("run", "run in the foreground until SIGTERM or SIGINT");
  AddFileOption(run, arguments.file);
  CLI::App& check = AddCheck(app, arguments);
  CLI::App& test = AddTest(app, arguments);
  CLI::App& explain = AddExplain(app, arguments);
  CLI::App& ctl = AddCtl(app, arguments.ctl);

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kOk : kUsage;
  }
  if (ctl.parsed()) return postern::RunCtl(arguments.ctl, std::cout, std::cerr);
  if (test.parsed()) return postern::RunTest(arguments.test, std::cout, std::cerr);
  arguments.check.config = arguments.explain.config = arguments.file;
  if (check.parsed()) return postern::RunCheck(arguments.check, std::cout, std::cerr);
  if (explain.parsed()) return postern::RunExplain(arguments.explain, std::cout, std::cerr);
  return Run(arguments.file);
}
