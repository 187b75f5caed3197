// ImapOffer: what an IMAP listener offers this client before the login: the capabilities, the
// commands, the ways to log in (DESIGN 1.2, 2.8; RFC 3501 §6.2). Made anew for each question,
// because TLS or a reload changes the answer. A value; pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "postern/engine/engine.h"
#include "postern/engine/trouble.h"
#include "postern/imap/command.h"

namespace postern {

class ImapOffer {
 public:
  ImapOffer(const ListenerPlan& listener, const ClientFacts& client);

  // STARTTLS is there: TLS is to come and has not come.
  bool starttls() const { return !secure_ && tls_ == ListenerTls::kStarttls; }
  // Nobody logs in before TLS, or here at all.
  bool needs_tls() const { return needs_tls_; }
  bool Has(Mechanism mechanism) const { return mechanisms_.Has(mechanism); }
  // Why LOGIN or AUTHENTICATE, whatever its arguments, is refused; nothing when it is not.
  std::optional<Trouble> Refusal(imap::CommandKind kind) const;
  // What a refused login is told, in words. Static.
  std::string_view Advice() const;
  // The names behind `CAPABILITY `: ours, and what every backend has that the client could come to.
  std::string Capabilities(const CommonOffer& common) const;
  imap::CommandSet Commands() const;

 private:
  ListenerTls tls_;
  bool secure_;
  bool needs_tls_;
  MechanismSet mechanisms_;
};

}  // namespace postern
