// Capabilities: read, asked, filtered.
#include "postern/imap/capability.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

namespace postern::testing {
namespace {

using imap::CapabilitySet;
using imap::FilterCapabilities;

TEST_CASE("Capabilities are asked for by name and by beginning") {
  const CapabilitySet set = CapabilitySet::Parse(" IMAP4rev1  idle THREAD=REFS AUTH=PLAIN ");
  CHECK(set.names() == std::vector<std::string>{"IMAP4rev1", "idle", "THREAD=REFS", "AUTH=PLAIN"});
  CHECK(set.Has("IDLE"));
  CHECK(set.Has("THREAD=*"));
  CHECK_FALSE(set.Has("THREAD"));
  CHECK_FALSE(set.Has("IDL"));
  CHECK(set.HasAnyOf("X|auth=plain"));
  CHECK_FALSE(set.HasAnyOf("X|Y"));
  CHECK_FALSE(set.HasAnyOf(""));
  CHECK(CapabilitySet::Parse("").empty());
}

TEST_CASE("What Postern does not follow is not told") {
  CHECK(FilterCapabilities("") == "IMAP4rev1 LITERAL+ ID");
  CHECK(FilterCapabilities("IMAP4rev1 LITERAL+ ID IDLE") == "IMAP4rev1 IDLE LITERAL+ ID");
  for (const char* name : {"SCRAM-SHA-256-PLUS", "AUTH=SCRAM-SHA-256-PLUS", "AUTH=PLAIN",
                           "COMPRESS=DEFLATE", "STARTTLS", "LOGIN-REFERRALS", "MAILBOX-REFERRALS",
                           "UNAUTHENTICATE", "LITERAL-", "LITERAL+", "LOGINDISABLED", "JMAPACCESS",
                           "X-GM-EXT-1", "XAPPLEPUSHSERVICE", "UIDONLY", "ID"}) {
    INFO(name);
    CHECK_FALSE(imap::MayPass(name));
  }
  for (const char* name : {"imap4REV1",
                           "IMAP4rev2",
                           "SORT",
                           "SORT=DISPLAY",
                           "THREAD=ORDEREDSUBJECT",
                           "UNSELECT",
                           "UIDPLUS",
                           "MOVE",
                           "IDLE",
                           "NAMESPACE",
                           "QUOTA",
                           "QUOTA=RES-STORAGE",
                           "ACL",
                           "METADATA",
                           "ENABLE",
                           "CONDSTORE",
                           "QRESYNC",
                           "ESEARCH",
                           "SEARCHRES",
                           "WITHIN",
                           "CONTEXT=SEARCH",
                           "LIST-EXTENDED",
                           "LIST-STATUS",
                           "STATUS=SIZE",
                           "SPECIAL-USE",
                           "XLIST",
                           "CATENATE",
                           "MULTIAPPEND",
                           "BINARY",
                           "URLAUTH",
                           "NOTIFY",
                           "CHILDREN",
                           "UTF8=ACCEPT",
                           "SAVEDATE",
                           "PREVIEW",
                           "OBJECTID",
                           "REPLACE",
                           "SNIPPET=FUZZY",
                           "LANGUAGE",
                           "I18NLEVEL=1"}) {
    INFO(name);
    CHECK(imap::MayPass(name));
  }
}

TEST_CASE("Capabilities with which a backend is trusted are told") {
  const std::vector<std::string> trusted{"X-GM-EXT-1", "XLOG=*",   "COMPRESS=DEFLATE", "STARTTLS",
                                         "LITERAL-",   "AUTH=ANY", "UNAUTHENTICATE",   "ID"};
  CHECK(FilterCapabilities("IMAP4rev1 x-gm-ext-1 XLOG=1 XOTHER COMPRESS=DEFLATE STARTTLS LITERAL- "
                           "AUTH=ANY UNAUTHENTICATE ID",
                           trusted) == "IMAP4rev1 x-gm-ext-1 XLOG=1 LITERAL+ ID");
  CHECK(imap::MayPass("X-GM-EXT-1", trusted));
  CHECK_FALSE(imap::MayPass("COMPRESS=DEFLATE", trusted));
}

}  // namespace
}  // namespace postern::testing
