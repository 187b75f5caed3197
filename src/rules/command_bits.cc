#include "rules/command_bits.h"

#include <algorithm>
#include <array>

#include "postern/imap/command.h"
#include "postern/pop3/command.h"

namespace postern {
namespace {

// The commands of IMAP that name no mailbox in their arguments.
bool NamesNoMailbox(imap::CommandKind kind) {
  using K = imap::CommandKind;
  constexpr std::array kNone = {K::kCapability,   K::kNoop,          K::kLogout,   K::kStarttls,
                                K::kAuthenticate, K::kLogin,         K::kId,       K::kCheck,
                                K::kClose,        K::kUnselect,      K::kExpunge,  K::kSearch,
                                K::kFetch,        K::kStore,         K::kSort,     K::kThread,
                                K::kIdle,         K::kNamespace,     K::kEnable,   K::kGetquota,
                                K::kSetquota,     K::kCancelupdate,  K::kLanguage, K::kComparator,
                                K::kCompress,     K::kUnauthenticate};
  return std::find(kNone.begin(), kNone.end(), kind) != kNone.end();
}

std::uint64_t BitsUpTo(std::size_t count) {
  return count >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << count) - 1;
}

template <typename MayHave>
std::uint64_t Select(std::size_t count, MayHave may_have) {
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (may_have(i)) bits |= std::uint64_t{1} << i;
  }
  return bits;
}

std::uint64_t ImapCommandsWith(Fact fact) {
  return Select(imap::kCommandCount, [fact](std::size_t i) {
    const auto kind = static_cast<imap::CommandKind>(i);
    const imap::CommandTraits& traits = imap::Traits(kind);
    if (fact == Fact::kMailbox) return !NamesNoMailbox(kind);
    if (fact == Fact::kArgument) return traits.most > 0;
    return traits.literals != imap::Literals::kNone || kind == imap::CommandKind::kOther;
  });
}

std::uint64_t Pop3CommandsWith(Fact fact) {
  if (fact != Fact::kArgument) return 0;
  // Before the login PASS and the like have arguments that their rows do not count.
  return Select(pop3::kCommandCount, [](std::size_t i) {
    const pop3::CommandTraits& traits = pop3::Traits(static_cast<pop3::CommandKind>(i));
    return traits.max_arguments > 0 || !traits.relayed;
  });
}

}  // namespace

bool Carries(const CommandValue& command, Fact fact) {
  if (!command.imap) return false;
  const auto kind = static_cast<imap::CommandKind>(*command.imap);
  if (fact == Fact::kMailbox) return !NamesNoMailbox(kind);
  return imap::Traits(kind).literals == imap::Literals::kStreamed;
}

std::uint64_t CommandsThatMeet(std::span<const Test> tests, Protocol protocol) {
  const bool imap = protocol == Protocol::kImap;
  std::uint64_t bits = BitsUpTo(imap ? imap::kCommandCount : pop3::kCommandCount);
  for (const Test& test : tests) {
    if (test.fact == Fact::kTime) continue;
    bits &= imap ? ImapCommandsWith(test.fact) : Pop3CommandsWith(test.fact);
  }
  return bits;
}

}  // namespace postern
