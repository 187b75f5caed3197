#include "server/rules_reader.h"

#include <fmt/format.h>

#include <map>

#include "server/rule_table.h"
#include "server/text_file.h"

namespace postern {
namespace {

class FilesReader {
 public:
  FilesReader(const Config* config, ConfigErrors& errors) : config_(config), errors_(errors) {}

  void Read(std::string_view text, const std::string& path);
  void ReadFile(const std::string& path);
  RulesRead Finish();

 private:
  using ReadOne = void (FilesReader::*)(const toml::table& table, Problems& problems);
  void ReadRoot(const toml::table& root, Problems& problems);
  void ReadEach(const toml::node& node, std::string_view name, ReadOne read, Problems& problems);
  void ReadRule(const toml::table& table, Problems& problems);
  void ReadTest(const toml::table& table, Problems& problems);

  const Config* config_;
  ConfigErrors& errors_;
  RulesRead read_;
  std::map<std::string, std::string> places_;  // of rules, by name
  bool too_many_ = false;
};

void FilesReader::ReadRule(const toml::table& table, Problems& problems) {
  Rule rule = ReadRuleTable(table, {problems, config_});
  if (read_.book->rules.size() == kMaxRules) {
    if (!too_many_) {
      problems.Error(PlaceOf(table.source()),
                     fmt::format("more than {} rules; make one of several", kMaxRules));
    }
    too_many_ = true;
    return;
  }
  const auto [first, is_new] = places_.emplace(rule.name, rule.place);
  if (!is_new && !rule.name.empty()) {
    problems.Error(PlaceOf(table.source()),
                   fmt::format("a second rule is named {}; the first is at {}; names must differ",
                               TomlQuote(rule.name), first->second));
  }
  read_.book->rules.push_back(std::move(rule));
}

void FilesReader::ReadTest(const toml::table& table, Problems& problems) {
  read_.tests.push_back(ReadTestTable(table, {problems, config_}));
}

void FilesReader::ReadEach(const toml::node& node, std::string_view name, ReadOne read,
                           Problems& problems) {
  const toml::array* list = node.as_array();
  const bool tables =
      list != nullptr && (list->empty() || list->is_homogeneous(toml::node_type::table));
  if (!tables) {
    problems.Error(PlaceOf(node.source()),
                   fmt::format("\"{}\" must be a list of tables; write [[{}]]", name, name));
    return;
  }
  for (const toml::node& each : *list) (this->*read)(*each.as_table(), problems);
}

void FilesReader::ReadRoot(const toml::table& root, Problems& problems) {
  for (const auto& [name, node] : root) {
    if (name.str() == "rule") {
      ReadEach(node, "rule", &FilesReader::ReadRule, problems);
    } else if (name.str() == "test") {
      ReadEach(node, "test", &FilesReader::ReadTest, problems);
    } else {
      problems.Error(
          PlaceOf(name.source()),
          fmt::format("unknown {} \"{}\" in a rule file; {}", node.is_value() ? "key" : "table",
                      name.str(), NameHint(name.str(), {"rule", "test"})));
    }
  }
}

void FilesReader::Read(std::string_view text, const std::string& path) {
  Problems problems(path);
  try {
    ReadRoot(toml::parse(text, std::string_view(path)), problems);
  } catch (const toml::parse_error& error) {
    problems.Error(PlaceOf(error.source()),
                   std::string(error.description()) + "; this is not TOML");
  }
  problems.MoveTo(errors_);
}

void FilesReader::ReadFile(const std::string& path) {
  const Result<std::string> text = ReadTextFile(path);
  if (text.ok()) return Read(text.value(), path);
  errors_.errors.push_back(
      fmt::format("{}:1:1: {}; name a file of rules that is there", path, text.error().message()));
}

RulesRead FilesReader::Finish() { return std::move(read_); }

}  // namespace

RulesRead ReadRules(const std::vector<std::string>& files, const Config* config,
                    ConfigErrors& errors) {
  FilesReader reader(config, errors);
  for (const std::string& file : files) reader.ReadFile(file);
  return reader.Finish();
}

RulesRead ParseRules(std::string_view text, const std::string& path, const Config* config,
                     ConfigErrors& errors) {
  FilesReader reader(config, errors);
  reader.Read(text, path);
  return reader.Finish();
}

}  // namespace postern
