// What a simulated client will do, written down before it begins: steps that send, and steps that
// wait. Values, made from a seed.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "postern/base/clock.h"
#include "postern/base/ids.h"
#include "simulation/random.h"

namespace postern::testing {

// How a client comes in; with the protocol it tells the listener.
enum class Entrance : std::uint8_t {
  kImplicit,  // TLS from the first byte
  kStarttls,
  kPlain,    // a trusted client on a listener without TLS
  kRefused,  // every login is told to use TLS
  kProxied,  // a PROXY header, then TLS
};
inline constexpr std::size_t kEntranceCount = 5;

inline constexpr std::size_t kNoCommand = static_cast<std::size_t>(-1);

struct Step {
  enum class Kind : std::uint8_t {
    kSend,
    kGreeting,   // wait for it
    kPlus,       // wait for a continuation; when the command ends instead, its other steps are left
                 // out
    kEnd,        // wait for the command's answer
    kChallenge,  // wait for the command's answer, and send the bytes if it is a continuation
    kPause,
    kTls,   // shake hands
    kDone,  // sends the end of an IDLE, unless that is over already
    kFinish,
    kReset,
  };
  Kind kind;
  std::string bytes;
  std::size_t command = kNoCommand;  // which one it belongs to
  bool begins = false;               // it is the command's first step
  Duration pause{};
};

// Who logs in, and the secret. A backend takes what has "s3cret" in it.
struct Account {
  std::size_t session = 0;
  std::string user() const { return "user" + std::to_string(session); }
  std::string password(bool good) const {
    return (good ? "s3cret" : "wr0ng") + std::to_string(session);
  }
};

// A time of a second at most, often none.
Duration ShortPause(Random& random);
// What a proxy says first, or what it must not say.
std::string ProxyHeader(Random& random);
// Anything at all, with CRLFs in it.
std::string SomeText(Random& random, std::size_t size);

}  // namespace postern::testing
