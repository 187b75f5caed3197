// postern test and postern explain: rule files at the command line. Prints for people; returns the
// exit status. For main.cc.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

namespace postern {

// Runs the tests of these files, or plays a conversation against their rules. 0: all is well; 1: a
// file has a mistake, a test fails or the conversation goes another way.
struct TestOrder {
  std::vector<std::string> files;
  std::string transcript;  // empty: the tests
};
int RunTest(const TestOrder& order, std::ostream& out, std::ostream& err);

// Which rule of the configuration decides for these facts, KEY=VALUE each, and what became of all
// others. 1: the configuration has a mistake; 2: a fact is not one.
struct ExplainOrder {
  std::string config;
  std::vector<std::string> facts;
};
int RunExplain(const ExplainOrder& order, std::ostream& out, std::ostream& err);

// The facts and their values, for the help of explain.
std::string DescribeFacts();

}  // namespace postern
