#include "server/probe_offer.h"

#include <catch2/catch.hpp>

namespace postern {
namespace {

using Names = std::vector<std::string>;

const ProbeFindings kDovecot{
    {"IMAP4rev1", "SASL-IR", "LOGIN-REFERRALS", "ID", "ENABLE", "IDLE", "LITERAL+", "AUTH=PLAIN"},
    true};
const ProbeFindings kOld{{"IMAP4rev1", "idle", "X-OWN"}, false};
const ProbeFindings kRich{{"IDLE", "ENABLE", "X-OWN", "IMAP4rev1", "MOVE"}, true};

TEST_CASE("what all backends have may be offered and nothing that is ours or nobody follows") {
  CHECK(OfferOf({{0, Protocol::kImap, &kDovecot}}).imap == Names{"ENABLE", "IDLE"});
  CHECK(OfferOf({{0, Protocol::kImap, &kDovecot}, {0, Protocol::kImap, &kRich}}).imap ==
        Names{"ENABLE", "IDLE"});
  CHECK(OfferOf({{0, Protocol::kImap, &kDovecot}, {1, Protocol::kImap, &kOld}}).imap ==
        Names{"IDLE"});
}

TEST_CASE("nothing is offered while nothing is known of a pool") {
  CHECK(OfferOf({}).imap.empty());
  CHECK_FALSE(OfferOf({}).pop3_utf8);
  const std::vector<ProbedBackend> one_pool_unknown{{0, Protocol::kImap, &kDovecot},
                                                    {1, Protocol::kImap},
                                                    {0, Protocol::kPop3, &kDovecot},
                                                    {1, Protocol::kPop3}};
  CHECK(OfferOf(one_pool_unknown).imap.empty());
  CHECK_FALSE(OfferOf(one_pool_unknown).pop3_utf8);
  // One of a pool that never was up does not hide what the others have.
  CHECK(OfferOf({{0, Protocol::kImap, &kDovecot}, {0, Protocol::kImap}}).imap ==
        Names{"ENABLE", "IDLE"});
}

TEST_CASE("capabilities that every pool passes may be offered") {
  const Names pass{"X-OWN"};
  CHECK(OfferOf({{0, Protocol::kImap, &kOld, &pass}, {1, Protocol::kImap, &kRich, &pass}}).imap ==
        Names{"idle", "X-OWN"});
  CHECK(OfferOf({{0, Protocol::kImap, &kOld, &pass}, {1, Protocol::kImap, &kRich}}).imap ==
        Names{"idle"});
}

TEST_CASE("UTF8 of POP3 is offered when every backend has it") {
  CHECK(OfferOf({{0, Protocol::kPop3, &kDovecot}, {1, Protocol::kPop3, &kRich}}).pop3_utf8);
  CHECK_FALSE(OfferOf({{0, Protocol::kPop3, &kDovecot}, {0, Protocol::kPop3, &kOld}}).pop3_utf8);
  CHECK(OfferOf({{0, Protocol::kPop3, &kDovecot}, {1, Protocol::kImap, &kOld}}).pop3_utf8);
}

}  // namespace
}  // namespace postern
