#include "postern/pop3/capability.h"

#include <catch2/catch.hpp>
#include <string>

namespace postern::pop3 {
namespace {

using namespace std::string_literals;

TEST_CASE("What Postern needs of a POP3 backend is found in its list") {
  const Capabilities found = ParseCapabilities("TOP\r\nsasl LOGIN plain\r\nPipelining\r\n.\r\n");
  CHECK(found.pipelining);
  CHECK(found.sasl == MechanismSet{Mechanism::kPlain, Mechanism::kLogin});
  const Capabilities none = ParseCapabilities("SASL CRAM-MD5 PLAINER\r\nXPIPELINING\r\n.\r\n");
  CHECK_FALSE(none.pipelining);
  CHECK(none.sasl.empty());
  CHECK_FALSE(ParseCapabilities("").pipelining);
}

TEST_CASE("What a POP3 backend can do before the login is found in its list") {
  const Capabilities found = ParseCapabilities(
      "user\r\nStls\r\nUTF8 USER\r\nXCLIENT\r\nSASL XOAUTH2 xoauth2 OAUTHBEARER\r\nSASL LOGIN\r\n");
  CHECK((found.user && found.stls && found.utf8 && found.xclient));
  CHECK(found.sasl ==
        MechanismSet{Mechanism::kXoauth2, Mechanism::kOauthbearer, Mechanism::kLogin});
  const Capabilities none = ParseCapabilities("USERS\r\nXSTLS\r\nUTF88\r\nTOP UTF8 STLS\r\n");
  CHECK_FALSE((none.user || none.stls || none.utf8 || none.xclient));
}

// Where every mechanism is taken.
std::string Filtered(std::string_view body) {
  return FilterCapabilities(body, {kAllMechanisms, {}, {}});
}

TEST_CASE("A POP3 list is filtered to what Postern follows and keeps its order") {
  CHECK(Filtered(
            "CAPA\r\nTOP\r\nUIDL\r\nSTLS\r\nEXPIRE 60 USER\r\nlogin-delay 900\r\nXCLIENT ADDR\r\n"
            "UTF8 USER\r\nLANG\r\nIMPLEMENTATION Old Server 1.0\r\nUSER\r\n.\r\n") ==
        "TOP\r\nUIDL\r\nEXPIRE 60 USER\r\nlogin-delay 900\r\nIMPLEMENTATION Old Server "
        "1.0\r\nUSER\r\n"
        "PIPELINING\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\n.\r\n");
}

TEST_CASE("What Postern always has is listed once whatever the POP3 backend says") {
  const std::string always = "PIPELINING\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\n.\r\n";
  CHECK(Filtered("") == always);
  CHECK(Filtered(".\r\n") == always);
  CHECK(Filtered("AUTH-RESP-CODE\r\nTOP\r\nTOP\r\n.\r\n") ==
        "AUTH-RESP-CODE\r\nTOP\r\nPIPELINING\r\nRESP-CODES\r\n.\r\n");
}

TEST_CASE("Of the SASL mechanisms of a POP3 backend those that are taken are passed") {
  CHECK(Filtered("SASL SCRAM-SHA-256-PLUS PLAIN login GSSAPI PLAIN\r\n.\r\n")
            .find("SASL PLAIN LOGIN\r\n") == 0);
  CHECK(Filtered("SASL CRAM-MD5\r\n.\r\n").find("SASL") == std::string::npos);
  CHECK(Filtered("SASL LOGIN\r\nSASL PLAIN\r\n").find("SASL LOGIN\r\nPIPELINING") == 0);
  const MechanismSet tokens{Mechanism::kXoauth2};
  CHECK(FilterCapabilities("USER\r\nSASL PLAIN XOAUTH2\r\n", {tokens, {}, {}})
            .find("SASL XOAUTH2\r\nPIPE") == 0);
}

TEST_CASE("A POP3 backend's further capabilities pass when it is trusted with them") {
  const std::vector<std::string> passed{"X-NEW", "STLS", "XCLIENT"};
  const std::string filtered = FilterCapabilities(
      "X-OTHER\r\nx-new a b\r\nX-NEW\r\nSTLS\r\nXCLIENT\r\nTOP\r\n", {kAllMechanisms, passed, {}});
  CHECK(filtered == "x-new a b\r\nTOP\r\nPIPELINING\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\n.\r\n");
}

TEST_CASE("Hidden POP3 capabilities are in no list with none of their words") {
  const std::vector<std::string> hidden{"TOP",  "SASL",       "STLS",           "USER",
                                        "UTF8", "PIPELINING", "IMPLEMENTATION", "EXPIRE"};
  const std::string_view left = "UIDL\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\n.\r\n";
  CHECK(OwnCapabilities({kAllMechanisms, true, true, hidden}) == left);
  CHECK(FilterCapabilities("top\r\nUIDL\r\nSASL PLAIN\r\nUSER\r\nPIPELINING\r\nexpire "
                           "60\r\nIMPLEMENTATION x\r\n.\r\n",
                           {kAllMechanisms, {}, hidden}) == left);
}

TEST_CASE("A hidden mechanism leaves the POP3 line of mechanisms") {
  const std::vector<std::string> hidden{"AUTH=PLAIN", "AUTH=LOGIN"};
  CHECK(Shown(kAllMechanisms, hidden) ==
        MechanismSet{Mechanism::kXoauth2, Mechanism::kOauthbearer});
  CHECK(OwnCapabilities({{Mechanism::kPlain}, false, false, hidden}).substr(0, 11) ==
        "USER\r\nTOP\r\n");
  CHECK(FilterCapabilities("SASL PLAIN XOAUTH2\r\n", {kAllMechanisms, {}, hidden})
            .find("SASL XOAUTH2\r\nPIPE") == 0);
}

TEST_CASE("UTF8 is listed before the POP3 login where every backend has it") {
  CHECK(OwnCapabilities({{}, false, true}).find("UIDL\r\nUTF8\r\n") != std::string::npos);
}

TEST_CASE("Lines of a POP3 list that are not plain text are left out") {
  const std::string filtered =
      Filtered("TOP\rSTLS\r\nUIDL\nSTLS\r\nUSER\0\r\nEXPIRE \x80\r\n.\r\n"s);
  CHECK(filtered == "PIPELINING\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\n.\r\n");
}

TEST_CASE("Our own POP3 list says what a client may do now") {
  const std::string always =
      "TOP\r\nUIDL\r\nPIPELINING\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\nIMPLEMENTATION "
      "Postern\r\n.\r\n";
  CHECK(OwnCapabilities({kAllMechanisms, false}) ==
        "USER\r\nSASL PLAIN LOGIN XOAUTH2 OAUTHBEARER\r\n" + always);
  CHECK(OwnCapabilities({{}, true}) == "STLS\r\n" + always);
  CHECK(OwnCapabilities({{}, false}) == always);
  CHECK(OwnCapabilities({{Mechanism::kOauthbearer}, false}) == "SASL OAUTHBEARER\r\n" + always);
  CHECK(OwnCapabilities({{Mechanism::kLogin}, false}) == "USER\r\nSASL LOGIN\r\n" + always);
}

TEST_CASE("A bare POP3 AUTH lists a mechanism a line") {
  CHECK(MechanismList(kAllMechanisms) == "PLAIN\r\nLOGIN\r\nXOAUTH2\r\nOAUTHBEARER\r\n.\r\n");
  CHECK(MechanismList({}) == ".\r\n");
}

TEST_CASE("Our own POP3 list is stable under our own filter") {
  const std::string own = OwnCapabilities({kAllMechanisms, false});
  CHECK(Filtered(own) == own);
}

}  // namespace
}  // namespace postern::pop3
