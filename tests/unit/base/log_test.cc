#include "postern/base/log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>
#include <vector>

#include "postern/base/text.h"

namespace postern {
namespace {

// A folder of its own, gone with the test.
class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "postern-log-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  std::string File(const char* name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

std::string Content(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream out;
  out << file.rdbuf();
  return out.str();
}

std::vector<std::string> Lines(const std::string& path) {
  std::istringstream text(Content(path));
  std::vector<std::string> lines;
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  return lines;
}

TEST_CASE("A log line is one JSON object with time and event first") {
  LogLine line("session");
  line.Text("user", "a\"\r\n").Number("bytes", -5).Seconds("took", 1.5).Flag("resumed", true);
  line.Json("commands", "{\"NOOP\":1}");
  const std::string text = line.Take();
  const std::string time = text.substr(9, 24);
  CHECK(text.substr(0, 9) == "{\"time\":\"");
  CHECK(time[4] == '-');
  CHECK(time[10] == 'T');
  CHECK(time[19] == '.');
  CHECK(time[23] == 'Z');
  CHECK(text.substr(33) ==
        "\",\"event\":\"session\",\"user\":\"a\\\"\\u000d\\u000a\",\"bytes\":-5,"
        "\"took\":1.500000,\"resumed\":true,\"commands\":{\"NOOP\":1}}\n");
}

TEST_CASE("Lines of many threads arrive whole and all") {
  const Folder folder;
  const std::string path = folder.File("log");
  {
    auto log = Log::Open(path);
    REQUIRE(log.ok());
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&log, t] {
        for (int i = 0; i < 500; ++i) {
          log.value()->Write(std::move(LogLine("x").Number("thread", t).Number("line", i)));
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(log.value()->dropped() == 0);
  }
  const std::vector<std::string> lines = Lines(path);
  CHECK(lines.size() == 2000);
  for (const std::string& line : lines) {
    REQUIRE(line.front() == '{');
    REQUIRE(line.back() == '}');
  }
}

TEST_CASE("A log that cannot be opened says which and why") {
  const auto log = Log::Open("/nonexistent/log");
  REQUIRE_FALSE(log.ok());
  CHECK(log.error().message() ==
        "the log /nonexistent/log cannot be opened: No such file or directory");
}

TEST_CASE("A disk that is full costs lines and nothing else") {
  if (!std::filesystem::exists("/dev/full")) return;
  auto log = Log::Open("/dev/full");
  REQUIRE(log.ok());
  for (int i = 0; i < 10; ++i) log.value()->Write(LogLine("lost"));
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (log.value()->dropped() < 10 && std::chrono::steady_clock::now() < until) {
    std::this_thread::yield();
  }
  CHECK(log.value()->dropped() == 10);
}

TEST_CASE("A pipe that nobody reads blocks neither writers nor the end") {
  const Folder folder;
  const std::string path = folder.File("fifo");
  REQUIRE(mkfifo(path.c_str(), 0600) == 0);
  const int reader = open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  REQUIRE(reader >= 0);
  auto log = Log::Open(path);
  REQUIRE(log.ok());
  const std::string filler = JsonQuote(std::string(1000, 'x'), 1000);
  const auto begin = std::chrono::steady_clock::now();
  // 20 MB into a queue of 8 MiB, a batch of 8 MiB and a pipe of 64 KiB.
  for (int i = 0; i < 20'000; ++i) log.value()->Write(std::move(LogLine("x").Json("f", filler)));
  CHECK(log.value()->dropped() > 1000);
  log.value().reset();
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(10));
  close(reader);
}

TEST_CASE("A pipe whose reader left costs lines and no signal") {
  const Folder folder;
  const std::string path = folder.File("fifo");
  REQUIRE(mkfifo(path.c_str(), 0600) == 0);
  const int reader = open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  REQUIRE(reader >= 0);
  auto log = Log::Open(path);
  REQUIRE(log.ok());
  close(reader);
  log.value()->Write(LogLine("lost"));
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (log.value()->dropped() < 1 && std::chrono::steady_clock::now() < until) {
    std::this_thread::yield();
  }
  CHECK(log.value()->dropped() == 1);
}

}  // namespace
}  // namespace postern
