#include "lookup/service_url.h"

#include <catch2/catch.hpp>

namespace postern {
namespace {

std::string Shown(const Result<ServiceUrl>& url) {
  if (!url.ok()) return "error";
  const ServiceUrl& it = url.value();
  return std::string(it.tls ? "tls " : "plain ") + it.HostPort() + " " + it.path;
}

TEST_CASE("Service URL of http and https") {
  CHECK(Shown(ServiceUrl::Http("http://localhost/auth")) == "plain localhost:80 /auth");
  CHECK(Shown(ServiceUrl::Http("HTTPS://auth.example")) == "tls auth.example:443 /");
  CHECK(Shown(ServiceUrl::Http("https://auth.example:8443/a/b?c=d")) ==
        "tls auth.example:8443 /a/b?c=d");
  CHECK(Shown(ServiceUrl::Http("http://a?x=y")) == "plain a:80 /?x=y");
  CHECK(Shown(ServiceUrl::Http("http://[2001:db8::1]:81/")) == "plain [2001:db8::1]:81 /");
  CHECK(Shown(ServiceUrl::Http("http://[::1]")) == "plain [::1]:80 /");
}

TEST_CASE("Service URL of redis and rediss") {
  CHECK(Shown(ServiceUrl::Redis("redis://cache")) == "plain cache:6379 /");
  CHECK(Shown(ServiceUrl::Redis("rediss://cache:6380/3")) == "tls cache:6380 /3");
}

TEST_CASE("Service URL refuses what is none") {
  const char* of_http[] = {"",
                           "localhost",
                           "ftp://a/",
                           "redis://a",
                           "http://",
                           "http:///auth",
                           "http://a:0/",
                           "http://a:65536/",
                           "http://a:x/",
                           "http://a:80x/",
                           "http://[::1",
                           "http://[::1]80/",
                           "http://a/b c",
                           "http://a/\r\nX: y",
                           "http://a/#b",
                           "http://me:secret@a/"};
  for (const char* url : of_http) {
    INFO(url);
    CHECK(Shown(ServiceUrl::Http(url)) == "error");
  }
  for (const char* url : {"redis://a/b", "redis://a/-1", "redis://a/1/2", "redis://:pw@a/1"}) {
    INFO(url);
    CHECK(Shown(ServiceUrl::Redis(url)) == "error");
  }
  const std::string said = ServiceUrl::Redis("redis://:hunter2@a/1").error().message();
  CHECK(said.find("hunter2") == std::string::npos);
  CHECK(said.find("password_file") != std::string::npos);
}

}  // namespace
}  // namespace postern
