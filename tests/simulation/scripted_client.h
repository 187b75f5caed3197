// ScriptedClient: a client that plays its script at the far end of a wire, one step after the
// other, and gives up when it has waited for long. What the bytes mean is its protocol's.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "simulation/script.h"
#include "simulation/wire.h"

namespace postern::testing {

class ScriptedClient : public Far {
 public:
  // A session as the backends see it. Excuse: from now on the backend may keep answers back.
  void Excuse() { excused_ = true; }
  void Begin() { Advance(); }
  bool over() const { return over_; }

  void OnReceived(std::string_view bytes) final;
  void OnClosed(bool clean) final;

 protected:
  ScriptedClient(Timeline& timeline, Record& record, Wire& wire, std::vector<Step> steps,
                 std::size_t commands)
      : timeline_(timeline),
        record_(record),
        wire_(wire),
        ended_(commands),
        steps_(std::move(steps)) {}

  virtual void OnBegins(std::size_t command) = 0;
  virtual void OnDone() {}
  virtual void OnLeaves() {}
  virtual void Read(std::string_view bytes) = 0;

  Timeline& timeline_;
  Record& record_;
  Wire& wire_;
  // Set by Read.
  bool greeted_ = false;
  std::size_t pluses_ = 0;  // not yet answered
  std::vector<bool> ended_;

 private:
  void Advance();
  // False: it waits.
  bool Play(const Step& step);
  bool Ended(const Step& step) const { return step.command != kNoCommand && ended_[step.command]; }
  void Resume(Duration delay);
  void ArmPatience();
  void LoseHeart(std::size_t step);

  std::vector<Step> steps_;
  std::size_t next_ = 0;
  bool begun_ = false;  // the step that it waits in
  bool shaking_ = false;
  bool secured_ = false;
  bool over_ = false;
  bool excused_ = false;
  std::string heard_;  // while shaking hands
};

}  // namespace postern::testing
