#include "postern/base/text.h"

#include <array>
#include <catch2/catch.hpp>

namespace postern {
namespace {

TEST_CASE("Case is folded for ASCII letters only") {
  CHECK(ToUpper("uid fetch 1:* \xe4{") == "UID FETCH 1:* \xe4{");
  CHECK(ToLower("INBOX\xc4[") == "inbox\xc4[");
  CHECK(EqualsNoCase("LOGIN", "login"));
  CHECK_FALSE(EqualsNoCase("LOGIN", "LOGINX"));
  CHECK_FALSE(EqualsNoCase("\xe4", "\xc4"));
  CHECK_FALSE(EqualsNoCase("@", "`"));
  CHECK(StartsWithNoCase("Authenticate", "auth"));
  CHECK_FALSE(StartsWithNoCase("au", "auth"));
}

TEST_CASE("Numbers have digits only and no leading zero") {
  CHECK(ParseNumber("0") == 0u);
  CHECK(ParseNumber("4294967296") == 4294967296u);
  CHECK(ParseNumber("18446744073709551615") == UINT64_MAX);
  for (const char* bad : {"", "00", "01", "+1", "-1", " 1", "1 ", "1a", "18446744073709551616",
                          "99999999999999999999", "0x1"}) {
    CAPTURE(bad);
    CHECK_FALSE(ParseNumber(bad));
  }
}

TEST_CASE("Base64 of RFC 4648 section 10") {
  const std::array<std::pair<std::string_view, std::string_view>, 7> pairs{{
      {"", ""},
      {"f", "Zg=="},
      {"fo", "Zm8="},
      {"foo", "Zm9v"},
      {"foob", "Zm9vYg=="},
      {"fooba", "Zm9vYmE="},
      {"foobar", "Zm9vYmFy"},
  }};
  for (const auto& [plain, encoded] : pairs) {
    CHECK(Base64Encode(plain) == encoded);
    CHECK(Base64Decode(encoded) == std::string(plain));
  }
}

TEST_CASE("Base64 brings back every byte") {
  std::string all;
  for (int i = 0; i < 256; ++i) {
    CHECK(Base64Decode(Base64Encode(all)) == all);
    all += static_cast<char>(i);
  }
}

TEST_CASE("Base64 that is not strict is refused") {
  for (const char* bad : {"Zg", "Zg=", "Zg===", "=", "====", "Z===", "Zh==", "Zm9=", "Zm 8",
                          "Zm8\n", "Zg==Zg==", "Zm-v", "Z=g=", "Zm9vYg==\r\n"}) {
    CAPTURE(bad);
    CHECK_FALSE(Base64Decode(bad));
  }
}

TEST_CASE("JSON strings escape what could break a line or a terminal") {
  CHECK(JsonQuote("plain") == R"("plain")");
  CHECK(JsonQuote("a\"b\\c") == R"("a\"b\\c")");
  CHECK(JsonQuote("a\r\nb\x1b[0m\x7f") == R"("a\u000d\u000ab\u001b[0m\u007f")");
  CHECK(JsonQuote(std::string_view("\0", 1)) == R"("\u0000")");
  CHECK(JsonQuote("\xc2\x9b") == R"("\u009b")");
}

TEST_CASE("JSON strings keep UTF-8 and escape the bytes of everything else") {
  CHECK(JsonQuote("Gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x93\xac") ==
        "\"Gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x93\xac\"");
  CHECK(JsonQuote("\xe4") == R"("\u00e4")");
  CHECK(JsonQuote("\xc0\xaf") == R"("\u00c0\u00af")");            // overlong
  CHECK(JsonQuote("\xe0\x80\x80") == R"("\u00e0\u0080\u0080")");  // overlong
  CHECK(JsonQuote("\xed\xa0\x80") == R"("\u00ed\u00a0\u0080")");  // surrogate
  CHECK(JsonQuote("\xf4\x90\x80\x80") == R"("\u00f4\u0090\u0080\u0080")");
  CHECK(JsonQuote("\xe2\x82") == R"("\u00e2\u0082")");  // cut short
}

TEST_CASE("JSON strings are cut at the limit and never inside a character") {
  CHECK(JsonQuote("abcdef", 6) == R"("abcdef")");
  CHECK(JsonQuote("abcdefg", 6) == R"("abcdef...")");
  CHECK(JsonQuote("abcd\xe2\x82\xac", 6) == R"("abcd...")");
  CHECK(JsonQuote(std::string(10000, 'x')).size() == 512 + 5);
}

TEST_CASE("The nearest name is offered only when it is near") {
  const std::array<std::string_view, 3> names{"address", "protocol", "name"};
  CHECK(NearestName("adress", names) == "address");
  CHECK(NearestName("protocoll", names) == "protocol");
  CHECK(NearestName("zzzzzz", names).empty());
  CHECK(EditDistance("kitten", "sitting") == 3);
  CHECK(EditDistance("", "abc") == 3);
  CHECK(EditDistance(std::string(200, 'a'), "") == 64);
}

}  // namespace
}  // namespace postern
