#include "server/ctl_text.h"

#include <catch2/catch.hpp>

namespace postern {
namespace {

TEST_CASE("Text of strangers cannot steer a terminal") {
  CHECK(SafeText("ann@example.org") == "ann@example.org");
  CHECK(SafeText("b\xc3\xa4r \xe2\x82\xac \xf0\x9f\x90\xbb") ==
        "b\xc3\xa4r \xe2\x82\xac \xf0\x9f\x90\xbb");
  CHECK(SafeText("a\x1b[2Jb\r\n\tc\x7f") == "a\\x1b[2Jb\\x0d\\x0a\\x09c\\x7f");
  CHECK(SafeText(std::string_view("a\0b", 3)) == "a\\x00b");
  CHECK(SafeText("a\\x1b") == "a\\\\x1b");
  CHECK(SafeText("\xc2\x9b"
                 "2J") == "\\x9b2J");
  CHECK(SafeText("\xe2\x80\xae"
                 "gro") == "\\u{202e}gro");
  CHECK(SafeText("a\xe2\x80\x8b"
                 "b") == "a\\u{200b}b");
  for (const char* bad : {"\xff", "\xc3", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\x80"}) {
    CHECK_THAT(SafeText(bad), Catch::StartsWith("\\x"));
  }
}

TEST_CASE("Times and sizes are short") {
  CHECK(AgeText(0) == "0s");
  CHECK(AgeText(59.9) == "59s");
  CHECK(AgeText(250) == "4m10s");
  CHECK(AgeText(7500) == "2h05m");
  CHECK(AgeText(273600) == "3d4h");
  CHECK(AgeText(-1) == "0s");
  CHECK(OctetsText(0) == "0");
  CHECK(OctetsText(812) == "812 B");
  CHECK(OctetsText(12 * 1024 + 5) == "12 KiB");
  CHECK(OctetsText(3565158) == "3.4 MiB");
}

TEST_CASE("Columns are aligned and empty ones left out") {
  TextTable table({"ID", "USER", "WHY"});
  table.Add({"1", "b\xc3\xa4r", ""});
  table.Add({"1234", "a\x1b", ""});
  CHECK(table.Text() ==
        "ID    USER\n"
        "1     b\xc3\xa4r\n"
        "1234  a\\x1b\n");
}

TEST_CASE("A very long cell is cut") {
  TextTable table({"USER", "X"});
  std::string name;
  for (int i = 0; i < 200; ++i) name += "\xc3\xa4";
  table.Add({name, "x"});
  const std::string text = table.Text();
  CHECK_THAT(text, Catch::Contains("\xc3\xa4...  x\n"));
  CHECK(text.size() < 300);
}

}  // namespace
}  // namespace postern
