// postern check: the configuration at the command line. Prints for people; returns the exit status.
// For main.cc and the commands beside it.
#pragma once

#include <iosfwd>
#include <string>

#include "postern/server/config.h"

namespace postern {

struct CheckOrder {
  std::string config;
  bool print = false;
};
// The configuration, its rules and their tests, the files it names. 0: good, perhaps with warnings;
// 1: not.
int RunCheck(const CheckOrder& order, std::ostream& out, std::ostream& err);

// All of it, as run and check load it. Asks the system's resolver; blocks.
Config LoadAll(const std::string& file, ConfigErrors& errors);
// True when there are no errors. Prints what there is.
bool Report(const ConfigErrors& errors, std::ostream& err);
// "1 rule", "3 rules".
std::string CountText(std::size_t number, std::string_view what);

}  // namespace postern
