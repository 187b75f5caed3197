#include "server/memory_pressure.h"

#include <stdlib.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

namespace postern {
namespace {

namespace fs = std::filesystem;

// A file system with one control group.
struct Machine {
  Machine() {
    char name[] = "/tmp/postern-cgroup-XXXXXX";
    root = mkdtemp(name);
  }
  ~Machine() { fs::remove_all(root); }
  void Put(const std::string& file, const std::string& text) const {
    const fs::path path = root + file;
    fs::create_directories(path.parent_path());
    std::ofstream(path) << text << '\n';
  }
  std::string root;
};

constexpr const char* kFolder = "/sys/fs/cgroup/system.slice/postern.service/memory.";

Machine Version2() {
  Machine machine;
  machine.Put("/proc/self/cgroup", "0::/system.slice/postern.service");
  machine.Put(std::string(kFolder) + "max", "100000000");
  machine.Put(std::string(kFolder) + "stat", "anon 1\ninactive_file 10000000\nslab 2");
  return machine;
}

void Use(const Machine& machine, int percent) {
  machine.Put(std::string(kFolder) + "current", std::to_string((percent + 10) * 1'000'100));
}

TEST_CASE("pressure rises with the use of the control group") {
  const Machine machine = Version2();
  MemoryPressure memory(machine.root);
  for (const auto& [percent, level] : {std::pair{10, Pressure::kNone},
                                       {79, Pressure::kNone},
                                       {80, Pressure::kShrink},
                                       {90, Pressure::kRefuse},
                                       {95, Pressure::kDrop},
                                       {100, Pressure::kDrop}}) {
    Use(machine, percent);
    CHECK(memory.Look() == level);
    if (percent >= 75) CHECK(memory.percent() == percent);
  }
}

TEST_CASE("a level is left only well below where it began") {
  const Machine machine = Version2();
  MemoryPressure memory(machine.root);
  Use(machine, 91);
  CHECK(memory.Look() == Pressure::kRefuse);
  Use(machine, 86);
  CHECK(memory.Look() == Pressure::kRefuse);
  Use(machine, 84);
  CHECK(memory.Look() == Pressure::kShrink);
  Use(machine, 74);
  CHECK(memory.Look() == Pressure::kNone);
}

TEST_CASE("a group without a limit knows no pressure") {
  const Machine machine = Version2();
  machine.Put(std::string(kFolder) + "max", "max");
  Use(machine, 99);
  CHECK(MemoryPressure(machine.root).Look() == Pressure::kNone);
}

TEST_CASE("control groups of version 1 are read as well") {
  Machine machine;
  machine.Put("/proc/self/cgroup", "9:name=systemd:/\n4:memory:/mail\n0::/");
  machine.Put("/sys/fs/cgroup/memory/mail/memory.limit_in_bytes", "100000000");
  machine.Put("/sys/fs/cgroup/memory/mail/memory.usage_in_bytes", "92000000");
  machine.Put("/sys/fs/cgroup/memory/mail/memory.stat", "total_inactive_file 0");
  CHECK(MemoryPressure(machine.root).Look() == Pressure::kRefuse);
}

TEST_CASE("the largest number of version 1 is no limit") {
  Machine machine;
  machine.Put("/proc/self/cgroup", "4:memory:/mail");
  machine.Put("/sys/fs/cgroup/memory/mail/memory.limit_in_bytes", "9223372036854771712");
  CHECK(MemoryPressure(machine.root).Look() == Pressure::kNone);
  CHECK(MemoryPressure(machine.root).percent() == 0);
}

TEST_CASE("a machine without control groups knows no pressure") {
  const Machine machine;
  CHECK(MemoryPressure(machine.root).Look() == Pressure::kNone);
}

}  // namespace
}  // namespace postern
