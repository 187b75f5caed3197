// Which commands may meet what a rule asks of commands: a bit a command, by the value of its kind.
// Pure; any thread.
#pragma once

#include <cstdint>
#include <span>

#include "rules/compiled_rules.h"

namespace postern {

// tests: those of a rule's `if` that are ByCommand, `command` aside. 0: no command of this protocol
// ever meets them.
std::uint64_t CommandsThatMeet(std::span<const Test> tests, Protocol protocol);
// Whether clients' commands of this verb have a mailbox (kMailbox) or announce a message (kSize).
bool Carries(const CommandValue& command, Fact fact);

}  // namespace postern
