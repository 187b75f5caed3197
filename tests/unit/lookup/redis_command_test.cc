#include "lookup/redis_command.h"

#include <catch2/catch.hpp>

namespace postern {
namespace {

std::string Encoded(std::string_view command, std::string_view user) {
  const Result<RedisCommand> parsed = RedisCommand::Parse(command);
  REQUIRE(parsed.ok());
  return parsed.value().For(user);
}

TEST_CASE("Redis command puts the user into its arguments") {
  CHECK(Encoded("HGET mail:{domain} {user}", "Ann@A.Example") ==
        "*3\r\n$4\r\nHGET\r\n$14\r\nmail:a.example\r\n$13\r\nann@a.example\r\n");
  CHECK(Encoded("  GET   u:{local}:{local}  ", "ann@x@y") ==
        "*2\r\n$3\r\nGET\r\n$13\r\nu:ann@x:ann@x\r\n");
  CHECK(Encoded("GET {domain}", "ann") == "*2\r\n$3\r\nGET\r\n$0\r\n\r\n");
  CHECK(Encoded("GET {local}", "ann") == "*2\r\n$3\r\nGET\r\n$3\r\nann\r\n");
}

TEST_CASE("Redis command never splits what a user typed") {
  CHECK(Encoded("GET {user}", "a b\r\nFLUSHALL") ==
        "*2\r\n$3\r\nGET\r\n$13\r\na b\r\nflushall\r\n");
  CHECK(Encoded("GET {user}", "{local} {domain}") ==
        "*2\r\n$3\r\nGET\r\n$16\r\n{local} {domain}\r\n");
}

TEST_CASE("Redis command refuses other braces and nothing at all") {
  for (const char* text : {"", "   ", "GET {name}", "GET {user", "GET user}", "GET {}",
                           "GET {{user}}", "GET {user}}"}) {
    INFO(text);
    CHECK_FALSE(RedisCommand::Parse(text).ok());
  }
}

TEST_CASE("Redis command of any octets") {
  CHECK(EncodeRedisCommand({"AUTH", std::string_view("a\0b", 3)}) ==
        std::string("*2\r\n$4\r\nAUTH\r\n$3\r\na\0b\r\n", 23));
}

}  // namespace
}  // namespace postern
