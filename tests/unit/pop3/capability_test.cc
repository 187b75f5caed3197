#include "postern/pop3/capability.h"

#include <catch2/catch.hpp>
#include <string>

namespace postern::pop3 {
namespace {

using namespace std::string_literals;

TEST_CASE("What Postern needs of a POP3 backend is found in its list") {
  const Capabilities found = ParseCapabilities("TOP\r\nsasl LOGIN plain\r\nPipelining\r\n.\r\n");
  CHECK(found.pipelining);
  CHECK(found.sasl_plain);
  const Capabilities none = ParseCapabilities("SASL CRAM-MD5 PLAINER\r\nXPIPELINING\r\n.\r\n");
  CHECK_FALSE(none.pipelining);
  CHECK_FALSE(none.sasl_plain);
  CHECK_FALSE(ParseCapabilities("").pipelining);
}

TEST_CASE("A POP3 list is filtered to what Postern follows and keeps its order") {
  CHECK(FilterCapabilities(
            "CAPA\r\nTOP\r\nUIDL\r\nSTLS\r\nEXPIRE 60 USER\r\nlogin-delay 900\r\nXCLIENT ADDR\r\n"
            "UTF8 USER\r\nLANG\r\nIMPLEMENTATION Old Server 1.0\r\nUSER\r\n.\r\n") ==
        "TOP\r\nUIDL\r\nEXPIRE 60 USER\r\nlogin-delay 900\r\nIMPLEMENTATION Old Server "
        "1.0\r\nUSER\r\n"
        "PIPELINING\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\n.\r\n");
}

TEST_CASE("What Postern always has is listed once whatever the POP3 backend says") {
  const std::string always = "PIPELINING\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\n.\r\n";
  CHECK(FilterCapabilities("") == always);
  CHECK(FilterCapabilities(".\r\n") == always);
  CHECK(FilterCapabilities("AUTH-RESP-CODE\r\nTOP\r\nTOP\r\n.\r\n") ==
        "AUTH-RESP-CODE\r\nTOP\r\nPIPELINING\r\nRESP-CODES\r\n.\r\n");
}

TEST_CASE("Of the SASL mechanisms of a POP3 backend only PLAIN is passed") {
  CHECK(FilterCapabilities("SASL SCRAM-SHA-256-PLUS PLAIN LOGIN\r\n.\r\n").find("SASL PLAIN\r\n") ==
        0);
  CHECK(FilterCapabilities("SASL CRAM-MD5\r\n.\r\n").find("SASL") == std::string::npos);
}

TEST_CASE("Lines of a POP3 list that are not plain text are left out") {
  const std::string filtered =
      FilterCapabilities("TOP\rSTLS\r\nUIDL\nSTLS\r\nUSER\0\r\nEXPIRE \x80\r\n.\r\n"s);
  CHECK(filtered == "PIPELINING\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\n.\r\n");
}

TEST_CASE("Our own POP3 list is stable under our own filter") {
  const std::string own(OwnCapabilities());
  CHECK(FilterCapabilities(own) == own);
}

}  // namespace
}  // namespace postern::pop3
