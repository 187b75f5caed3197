// Given: the facts of an imagined session, as a [[test]] or `postern explain` states them. A value;
// what is not stated is missing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "postern/base/status.h"
#include "postern/rules/facts.h"
#include "postern/rules/rule_set.h"

namespace postern {

struct Given {
  std::optional<Protocol> protocol;
  std::string listener;  // names; empty: missing
  std::string pool;
  Address client;  // of no family: missing
  std::optional<std::int64_t> time;
  std::string sni;
  std::optional<TlsVersion> tls_version;
  std::string tls_cipher;
  std::string client_cert;
  std::string user;
  std::optional<Mechanism> mechanism;
  std::string client_name;
  std::string client_version;
  std::string command;  // one line without tag; empty: none
};

// The keys that may be given, in the order of their stages.
const std::vector<std::string_view>& GivenKeys();
// text as the value of this key; the error says what would be right, for unknown keys with the
// nearest known one.
Status SetGiven(Given& given, std::string_view key, std::string_view text);
// As given; where it is not, the one that has the command's verb, and IMAP when both have it.
Protocol ProtocolOf(const Given& given);
// Views into given. Names that names does not have are missing.
SessionFacts SessionFactsOf(const Given& given, const RuleNames& names);

}  // namespace postern
