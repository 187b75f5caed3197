// Plays tests/transcripts/pop3/*.txt against a Pop3Engine.
//
//   # a comment
//   C: a line of the client        P: a line that Postern sends to the backend
//   S: a line the client gets      B: a line of the backend
//   ! an event (kEvents) or an expectation ("connect NAME", "reject", "drop", "logged in", "finish
//   REASON HOW")
//
// A line ends in CRLF unless it ends in "\c". \r \n \0 \s (space) \\ are bytes; "x\*300" is 300
// times x. Neighbouring lines of one side arrive together, line by line, and byte by byte. Whatever
// Postern writes must be expected before the next event, and nothing else.

#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "pop3_fixture.h"

namespace postern::testing {
namespace {

struct Step {
  char kind;
  std::string text;                // bytes; for '!' the words
  std::vector<std::size_t> lines;  // where each line of the file ends in text
};

void AppendEscaped(std::string_view line, std::string& out) {
  const std::map<char, char> plain = {
      {'r', '\r'}, {'n', '\n'}, {'0', '\0'}, {'s', ' '}, {'\\', '\\'}};
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] != '\\') {
      out.push_back(line[i]);
    } else if (line[++i] == '*') {
      const std::size_t count = std::stoul(std::string(line.substr(i + 1)));
      out.append(count - 1, out.back());
      i += std::to_string(count).size();
    } else if (line[i] == 'c') {
      return;
    } else {
      out.push_back(plain.at(line[i]));
    }
  }
  out.append("\r\n");
}

std::vector<Step> Load(const std::filesystem::path& path) {
  std::vector<Step> steps;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line[0] == '#') continue;
    const char kind = line[0];
    const std::size_t text = std::min<std::size_t>(kind == '!' ? 2 : 3, line.size());
    const bool joins = !steps.empty() && kind != '!' && steps.back().kind == kind;
    if (!joins) steps.push_back({kind, {}, {}});
    if (kind == '!') {
      steps.back().text = line.substr(text);
    } else {
      AppendEscaped(std::string_view(line).substr(text), steps.back().text);
      steps.back().lines.push_back(steps.back().text.size());
    }
  }
  return steps;
}

enum class Cutting { kTogether, kLines, kBytes };

class Player {
 public:
  explicit Player(Cutting cutting) : cutting_(cutting) {}

  void Play(const Step& step) {
    INFO(step.kind << ": " << step.text);
    switch (step.kind) {
      case 'C':
        ExpectSilence();
        return Feed(step, [this](std::string_view bytes) { session_.Client(bytes); });
      case 'B':
        ExpectSilence();
        return Feed(step, [this](std::string_view bytes) { session_.Backend(bytes); });
      case 'S':
        return Expect(session_.host.client, step.text);
      case 'P':
        return Expect(session_.host.backend, step.text);
      case '!':
        return Command(step.text);
      default:
        FAIL("unknown step");
    }
  }
  void End() {
    ExpectSilence();
    CHECK((!session_.host.end || end_expected_));
  }

 private:
  using Session = FakeSession<Pop3Engine>;

  void ExpectSilence() {
    CHECK(session_.host.TakeClient() == "");
    CHECK(session_.host.TakeBackend() == "");
  }
  static void Expect(std::string& written, const std::string& text) {
    CHECK(written.substr(0, text.size()) == text);
    written.erase(0, text.size());
  }
  template <typename Give>
  void Feed(const Step& step, Give&& give) const {
    if (cutting_ == Cutting::kTogether) return give(step.text);
    const Split split(step.text,
                      cutting_ == Cutting::kBytes ? EveryByte(step.text.size()) : InnerEnds(step));
    for (std::size_t i = 0; i < split.size(); ++i) give(split[i]);
  }
  static std::vector<std::size_t> InnerEnds(const Step& step) {
    return {step.lines.begin(), step.lines.end() - 1};
  }
  void Command(const std::string& words) {
    static const std::map<std::string, void (*)(Session&)> kEvents = {
        {"start", [](Session& s) { s.Start(); }},
        {"connected", [](Session& s) { s.BackendConnected(); }},
        {"failed", [](Session& s) { s.BackendFailed(); }},
        {"backend end", [](Session& s) { s.BackendEnd(); }},
        {"client end", [](Session& s) { s.ClientEnd(); }},
        {"drain", [](Session& s) { s.Drain(); }},
        {"drain deadline", [](Session& s) { s.DrainDeadline(); }},
        {"timeout connect", [](Session& s) { s.Timeout(Engine::Timeout::kConnect); }},
        {"timeout login", [](Session& s) { s.Timeout(Engine::Timeout::kLogin); }},
        {"timeout idle", [](Session& s) { s.Timeout(Engine::Timeout::kIdle); }},
    };
    const auto event = kEvents.find(words);
    if (event == kEvents.end()) return ExpectDecision(words);
    ExpectSilence();
    event->second(session_);
  }
  void ExpectDecision(const std::string& words) {
    FakeHost& host = session_.host;
    if (words.rfind("connect ", 0) == 0) {
      REQUIRE(host.connects.size() == ++connects_);
      CHECK(host.connects.back() == words.substr(8));
    } else if (words == "reject") {
      CHECK(host.rejections.size() == ++rejections_);
    } else if (words == "drop") {
      CHECK(host.drops == ++drops_);
    } else if (words == "logged in") {
      CHECK(host.logged_in);
    } else {
      REQUIRE(host.end);
      const bool orderly = host.end->ending == EngineHost::Ending::kOrderly;
      CHECK("finish " + std::string(CloseReasonName(host.end->reason)) +
                (orderly ? " orderly" : " abort") ==
            words);
      end_expected_ = true;
    }
  }

  const Cutting cutting_;
  Session session_;
  std::size_t connects_ = 0, rejections_ = 0;
  int drops_ = 0;
  bool end_expected_ = false;
};

TEST_CASE("POP3 transcripts") {
  std::size_t count = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(POSTERN_TESTS_DIR "/transcripts/pop3")) {
    if (entry.path().extension() != ".txt") continue;
    ++count;
    INFO(entry.path());
    const std::vector<Step> steps = Load(entry.path());
    REQUIRE(steps.size() > 2);
    for (const Cutting cutting : {Cutting::kTogether, Cutting::kLines, Cutting::kBytes}) {
      INFO("cutting " << static_cast<int>(cutting));
      Player player(cutting);
      for (const Step& step : steps) player.Play(step);
      player.End();
    }
  }
  CHECK(count >= 20);
}

}  // namespace
}  // namespace postern::testing
