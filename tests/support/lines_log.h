// LinesLog: a log whose lines a test can look at. One thread.
#pragma once

#include <string>
#include <vector>

#include "postern/base/log.h"

namespace postern::testing {

class LinesLog final : public Log {
 public:
  void Write(LogLine line) override { lines.push_back(line.Take()); }
  Status Reopen(const std::string&) override { return {}; }
  std::uint64_t dropped() const override { return 0; }
  std::vector<std::string> lines;
};

}  // namespace postern::testing
