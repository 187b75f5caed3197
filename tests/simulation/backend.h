// SimBackend: the actor at the far end of a connection that Postern has made: what all backends
// have in common. It may be a liar: its seed says how it fails, and when.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "postern/engine/plan.h"
#include "simulation/random.h"
#include "simulation/wire.h"

namespace postern::testing {

// How a backend goes wrong, if it does.
enum class Fault : std::uint8_t {
  kNone,
  kSilent,       // no greeting
  kNoGreeting,   // ends instead of greeting
  kBadGreeting,  // greets with nonsense, or a refusal
  kLoginCut,     // ends instead of judging the login
  kLoginBusy,    // refuses every login for a while
  kLoginStall,
  kCut,        // ends instead of answering
  kCutInBody,  // ends within a literal or a multi-line reply
  kCutInLine,
  kStall,        // answers no more
  kNonsense,     // says what breaks the framing
  kUnasked,      // a tag nobody sent, a reply nobody asked for
  kUnaskedPlus,  // a continuation nobody waits for
  kHuge,         // announces 2 GiB, and ends
  kGoodbye,      // says that it goes, and goes
};

class SimBackend : public Far {
 public:
  struct Settings {
    PoolTls tls = PoolTls::kNone;
    bool faults = true;
    bool proxy2 = false;  // a PROXY header of version 2 comes first
    std::string user;     // whom Postern has dialled for
  };
  void Begin();
  void OnNearWrote(std::string_view) final {}
  void OnNearClosed(Stream::How) final {}
  void OnReceived(std::string_view bytes) final;
  void OnClosed(bool clean) final;

 protected:
  SimBackend(Timeline& timeline, Record& record, Wire& wire, Random random, Settings settings);

  virtual void Greet() = 0;
  virtual void Feed(std::string_view bytes) = 0;
  // Deals with one thing that was read. False when there is none.
  virtual bool WorkOnce() = 0;

  // Works on what was read, one thing at a time, unless it is dead or busy.
  void Work();
  void BusyFor(Duration time);
  void ExpectTls() { shaking_ = true; }
  bool secured() const { return secured_; }
  // True when its fault is one of the greeting; bad are the greetings that are none.
  bool FailsToGreet(std::initializer_list<const char*> bad);
  // Holds the login to its rules: one for a connection, and only of the session it was made for.
  // said: all that was said with it, decoded.
  void CheckLogin(const std::string& said);
  // Ends the connection in one way or the other; works no more.
  void End();
  void Stall() { dead_ = true; }
  bool dead() const { return dead_; }
  Duration SomeTime();

  Timeline& timeline_;
  Record& record_;
  Wire& wire_;
  Random random_;
  const Settings settings_;
  Fault fault_ = Fault::kNone;
  std::size_t fault_in_ = 0;  // commands behind the login

 private:
  // Takes the PROXY header off the front of what was heard. False: it is not whole yet.
  bool TakeProxyHeader();

  bool header_due_;
  bool dead_ = false;
  bool judged_ = false;
  bool busy_ = false;
  bool shaking_ = false;
  bool secured_ = false;
  std::string heard_;
};

}  // namespace postern::testing
