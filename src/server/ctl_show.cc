// What property_tree includes would print a warning otherwise.
#define BOOST_BIND_GLOBAL_PLACEHOLDERS

#include "server/ctl_show.h"

#include <fmt/format.h>

#include <boost/property_tree/json_parser.hpp>
#include <boost/property_tree/ptree.hpp>
#include <optional>
#include <sstream>

#include "server/ctl_text.h"

namespace postern {
namespace {

using Tree = boost::property_tree::ptree;

std::optional<Tree> Read(std::string_view json) {
  try {
    std::istringstream stream{std::string(json)};
    Tree tree;
    boost::property_tree::read_json(stream, tree);
    return tree;
  } catch (const boost::property_tree::json_parser_error&) {
    return std::nullopt;
  }
}

Status NotOurs() {
  return Status::Error(
      "what answers there is no gateway of this version: its answer is not understood");
}

std::string Text(const Tree& tree, const char* key) { return tree.get<std::string>(key, ""); }

double Number(const Tree& tree, const char* key) { return tree.get<double>(key, 0.0); }

std::uint64_t Count(const Tree& tree, const char* key) { return tree.get<std::uint64_t>(key, 0); }

std::vector<std::string> Texts(const Tree& tree, const char* key) {
  std::vector<std::string> texts;
  if (const auto list = tree.get_child_optional(key)) {
    for (const auto& [none, item] : *list) texts.push_back(item.data());
  }
  return texts;
}

std::string Lines(const std::vector<std::string>& texts) {
  std::string out;
  for (const std::string& text : texts) out += SafeText(text) + "\n";
  return out;
}

std::string Joined(const std::string& pool, const std::string& backend) {
  return backend.empty() ? pool : pool + "/" + backend;
}

// "2 of them": "1 session", "2 sessions".
std::string Counted(std::uint64_t count, std::string_view thing) {
  return fmt::format("{} {}{}", count, thing, count == 1 ? "" : "s");
}

std::string Doing(const Tree& session) {
  const std::string waits = Text(session, "not_reading");
  const std::string command = Text(session, "command");
  if (waits.empty() || command.empty()) return command + waits;
  return command + "; " + waits;
}

// ---- status, a line each

std::string ReloadLine(const Tree& status) {
  const std::string generation = fmt::format("generation {}", Count(status, "generation"));
  const std::string cause = Text(status, "reload.cause");
  if (cause.empty()) return generation + ", not reloaded since the start";
  return fmt::format("{}, {} {} {} ago", generation, SafeText(cause),
                     status.get("reload.applied", false) ? "applied" : "REFUSED",
                     AgeText(Number(status, "reload.ago_seconds")));
}

std::string SessionsLine(const Tree& status) {
  std::uint64_t all = 0;
  std::string parts;
  for (const char* state : {"handshake", "login", "relay", "closing"}) {
    const std::uint64_t count = status.get<std::uint64_t>(std::string("sessions.") + state, 0);
    all += count;
    if (count == 0) continue;
    parts += fmt::format("{}{} in {}", parts.empty() ? ": " : ", ", count, state);
  }
  return fmt::format("{} of at most {}{}", all, Count(status, "max_sessions"), parts);
}

std::string BackendsLine(const Tree& status) {
  const auto backends = status.get_child_optional("backends");
  std::string line;
  for (const char* state : {"up", "draining", "failing", "down"}) {
    std::uint64_t count = 0;
    std::string names;
    for (const auto& [none, backend] : backends ? *backends : Tree()) {
      if (Text(backend, "state") != state) continue;
      ++count;
      names += (names.empty() ? "" : " ") + Joined(Text(backend, "pool"), Text(backend, "backend"));
    }
    if (count == 0) continue;
    if (!line.empty()) line += ", ";
    line += fmt::format("{} {}", count, state);
    if (std::string_view(state) != "up") line += " (" + SafeText(names) + ")";
  }
  return line;
}

std::string CertificatesLine(const Tree& status) {
  std::string line;
  if (const auto certificates = status.get_child_optional("certificates")) {
    for (const auto& [none, certificate] : *certificates) {
      const auto days = certificate.get<std::int64_t>("days_left", 0);
      line += (line.empty() ? "" : ", ") + SafeText(Text(certificate, "name"));
      line +=
          days < 0 ? " EXPIRED" : " " + Counted(static_cast<std::uint64_t>(days), "day") + " left";
    }
  }
  return line.empty() ? "none" : line;
}

// At most three lines.
std::string ProblemLines(const std::vector<std::string>& problems) {
  if (problems.empty()) return "all is well\n";
  std::string out;
  for (std::size_t i = 0; i < problems.size() && i < 2; ++i) {
    out += "PROBLEM       " + SafeText(problems[i]) + "\n";
  }
  if (problems.size() == 3) out += "PROBLEM       " + SafeText(problems[2]) + "\n";
  if (problems.size() > 3)
    out += fmt::format("PROBLEM       and {} more; --json names all\n", problems.size() - 2);
  return out;
}

}  // namespace

Result<std::string> ShowSessions(std::string_view json) {
  const std::optional<Tree> tree = Read(json);
  if (!tree || !tree->get_child_optional("sessions")) return NotOurs();
  TextTable table(
      {"ID", "PROTO", "STATE", "USER", "CLIENT", "BACKEND", "TLS", "AGE", "IDLE", "HELD", "DOING"});
  std::uint64_t count = 0;
  for (const auto& [none, session] : tree->get_child("sessions")) {
    ++count;
    table.Add({Text(session, "id"), Text(session, "protocol"), Text(session, "state"),
               Text(session, "user"), Text(session, "client"),
               Joined(Text(session, "pool"), Text(session, "backend")),
               Text(session, "tls_version"), AgeText(Number(session, "age_seconds")),
               AgeText(Number(session, "idle_seconds")), OctetsText(Count(session, "held_bytes")),
               Doing(session)});
  }
  std::string out = count == 0 ? std::string() : table.Text();
  out += Counted(count, "session");
  if (count > 0 && !tree->get("users_shown", false)) {
    out += "; user names are shown to those who have the token (admin.token_file)";
  }
  return out + "\n";
}

Result<std::string> ShowBackends(std::string_view json) {
  const std::optional<Tree> tree = Read(json);
  if (!tree || !tree->get_child_optional("backends")) return NotOurs();
  TextTable table({"BACKEND", "STATE", "SINCE", "SESSIONS", "IMAP", "POP3", "WHY"});
  for (const auto& [none, backend] : tree->get_child("backends")) {
    const double since = Number(backend, "since_seconds");
    table.Add({Joined(Text(backend, "pool"), Text(backend, "backend")), Text(backend, "state"),
               since > 0 ? AgeText(since) : "", std::to_string(Count(backend, "sessions")),
               Text(backend, "imap"), Text(backend, "pop3"), Text(backend, "reason")});
  }
  return table.Text();
}

Result<StatusShown> ShowStatus(std::string_view json) {
  const std::optional<Tree> tree = Read(json);
  if (!tree || !tree->get_child_optional("problems")) return NotOurs();
  const std::string not_ready = Text(*tree, "not_ready");
  const std::uint64_t dropped = Count(*tree, "log_dropped");
  const std::vector<std::string> problems = Texts(*tree, "problems");
  StatusShown shown;
  shown.well = problems.empty();
  shown.text = fmt::format(
      "postern {}   {}, up {}, {}\n"
      "configuration {}\n"
      "sessions      {}\n"
      "backends      {}\n"
      "certificates  {}\n"
      "log           {}\n",
      Text(*tree, "version"), SafeText(Text(*tree, "name")),
      AgeText(Number(*tree, "uptime_seconds")),
      not_ready.empty() ? "ready" : "NOT READY: " + SafeText(not_ready), ReloadLine(*tree),
      SessionsLine(*tree), BackendsLine(*tree), CertificatesLine(*tree),
      dropped == 0 ? "no line dropped" : Counted(dropped, "line") + " dropped since the start");
  shown.text += ProblemLines(problems);
  return shown;
}

std::string ShowRefusal(unsigned status, std::string_view json) {
  const std::optional<Tree> tree = Read(json);
  const std::string error = tree ? Text(*tree, "error") : std::string();
  if (error.empty()) return fmt::format("the gateway answers with status {}\n", status);
  return SafeText(error) + "\n" + Lines(Texts(*tree, "reasons")) + Lines(Texts(*tree, "notes"));
}

std::string ShowNote(std::string_view json) {
  const std::optional<Tree> tree = Read(json);
  const std::string note = tree ? Text(*tree, "note") : std::string();
  return note.empty() ? note : "note: " + SafeText(note) + "\n";
}

Result<std::string> ShowReload(std::string_view json) {
  const std::optional<Tree> tree = Read(json);
  if (!tree || !tree->get_child_optional("applied")) return NotOurs();
  return fmt::format("applied: generation {}\n", Count(*tree, "generation")) +
         Lines(Texts(*tree, "notes"));
}

}  // namespace postern
