#include "server/config_values.h"

#include <catch2/catch.hpp>

namespace postern {
namespace {

TEST_CASE("Durations are a whole number and a unit") {
  CHECK(ParseDuration("500ms").value() == std::chrono::milliseconds(500));
  CHECK(ParseDuration("30s").value() == std::chrono::seconds(30));
  CHECK(ParseDuration("10m").value() == std::chrono::minutes(10));
  CHECK(ParseDuration("2h").value() == std::chrono::hours(2));
  CHECK(ParseDuration("0s").value() == Duration(0));
  for (const char* bad : {"", "s", "30", "30 s", "1.5s", "-1s", "030s", "30S", "30sec", "1d",
                          "99999999999999999999s", "9000h"}) {
    CAPTURE(bad);
    CHECK_FALSE(ParseDuration(bad).ok());
  }
}

TEST_CASE("Sizes are a whole number and a unit or zero") {
  CHECK(ParseSize("0").value() == 0);
  CHECK(ParseSize("512B").value() == 512);
  CHECK(ParseSize("4KiB").value() == 4096);
  CHECK(ParseSize("25MiB").value() == 25u << 20);
  CHECK(ParseSize("3GiB").value() == std::uint64_t{3} << 30);
  for (const char* bad :
       {"", "25", "25MB", "25 MiB", "-1B", "1.5GiB", "MiB", "2000GiB", "18446744073709551616B"}) {
    CAPTURE(bad);
    CHECK_FALSE(ParseSize(bad).ok());
  }
}

TEST_CASE("Durations and sizes print as what they are read from") {
  for (const char* text : {"0s", "1ms", "1500ms", "1s", "90s", "3m", "35m", "2h", "25h"}) {
    CHECK(DurationText(ParseDuration(text).value()) == text);
  }
  CHECK(DurationText(ParseDuration("180s").value()) == "3m");
  for (const char* text : {"0", "1B", "1025B", "1KiB", "25MiB", "3GiB"}) {
    CHECK(SizeText(ParseSize(text).value()) == text);
  }
}

TEST_CASE("Paths are taken from the folder of the file that names them") {
  CHECK(FromFolderOf("/etc/postern/postern.toml", "tls/key.pem") == "/etc/postern/tls/key.pem");
  CHECK(FromFolderOf("/etc/postern/postern.toml", "../key.pem") == "/etc/key.pem");
  CHECK(FromFolderOf("/etc/postern/postern.toml", "/run/key.pem") == "/run/key.pem");
  CHECK(FromFolderOf("postern.toml", "key.pem").front() == '/');
}

}  // namespace
}  // namespace postern
