#include "lookup/http_lookup.h"

#include <optional>
#include <utility>

#include "lookup/http_answer.h"
#include "lookup/http_request.h"

namespace postern {

// One question on its way.
class HttpLookup::Request final : public Stream::Observer {
 public:
  Request(HttpLookup& owner, const LookupQuestion& question, FindingDone asker)
      : done(std::move(asker)),
        owner_(owner),
        protocol_(question.protocol),
        text_(MailAuthRequest(owner.place_.url, question)),
        deadline_(
            owner.net_.loop.deadlines(), [](void* self) { static_cast<Request*>(self)->Expire(); },
            this) {
    deadline_.Arm(MonotonicNow() + owner.timeout_);
  }
  ~Request() override { Wipe(text_); }
  Request(const Request&) = delete;
  Request& operator=(const Request&) = delete;

  void Begin() { stream_.emplace(owner_.net_, owner_.place_, *this); }
  bool begun() const { return stream_.has_value(); }
  // Nothing comes from it any more.
  void End() {
    deadline_.Disarm();
    if (stream_) stream_->Finish();
  }

  void OnOpen() override {
    stream_->Write(text_);
    Wipe(text_);
  }
  void OnBytes(std::string_view bytes) override {
    HttpAnswer answer;
    switch (reader_.Read(bytes, answer)) {
      case HttpAnswerReader::Verdict::kMore:
        return;
      case HttpAnswerReader::Verdict::kBad:
        return owner_.Finish(*this, Finding::Away(reader_.problem()));
      case HttpAnswerReader::Verdict::kAnswer:
        return owner_.Finish(*this, JudgeHttpAnswer(std::move(answer), protocol_, owner_.places_));
    }
  }
  void OnDrained() override {}
  void OnEnd(const Status& why) override {
    owner_.Finish(*this, Finding::Away(why.ok() ? "closed without an answer" : why.message()));
  }

  FindingDone done;

 private:
  void Expire() {
    owner_.Finish(*this, Finding::Away(begun() ? "no answer in time" : "too many questions"));
  }

  HttpLookup& owner_;
  const Protocol protocol_;
  std::string text_;  // with the password; wiped when it is sent
  Deadline deadline_;
  std::optional<ServiceStream> stream_;
  HttpAnswerReader reader_;
};

HttpLookup::HttpLookup(ServiceNet net, ServicePlace place, Places places, Duration timeout)
    : net_(net), place_(std::move(place)), places_(std::move(places)), timeout_(timeout) {}

HttpLookup::~HttpLookup() {
  Requests all;
  all.splice(all.end(), running_);
  all.splice(all.end(), waiting_);
  for (Request& request : all) {
    request.End();
    std::exchange(request.done, nullptr)(Finding::Away("given up"));
  }
}

void HttpLookup::Ask(const LookupQuestion& question, FindingDone done) {
  if (waiting_.size() >= kMaxHttpWaiting) return done(Finding::Away("too many questions"));
  waiting_.emplace_back(*this, question, std::move(done));
  StartNext();
}

void HttpLookup::StartNext() {
  while (!waiting_.empty() && running_.size() < kMaxHttpRequests) {
    running_.splice(running_.end(), waiting_, waiting_.begin());
    running_.back().Begin();
  }
}

// A call of the request's own may be on the stack, so it goes when the turn is over.
void HttpLookup::Finish(Request& request, Finding finding) {
  request.End();
  const FindingDone done = std::move(request.done);
  Requests& home = request.begun() ? running_ : waiting_;
  const auto dead = std::make_shared<Requests>();
  for (auto at = home.begin(); at != home.end(); ++at) {
    if (&*at != &request) continue;
    dead->splice(dead->end(), home, at);
    break;
  }
  net_.loop.AfterTurn([dead] {});
  StartNext();
  done(std::move(finding));
}

}  // namespace postern
