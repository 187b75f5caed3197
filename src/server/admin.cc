#include "postern/server/admin.h"

#include <unistd.h>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "postern/base/secret.h"
#include "postern/base/text.h"
#include "postern/net/deadlines.h"
#include "postern/net/listener.h"
#include "postern/net/stream.h"
#include "server/admin_http.h"
#include "server/admin_routes.h"

namespace postern {
namespace {

constexpr std::string_view kUnix = "unix:";
constexpr std::size_t kMaxConnections = 8;
// From the first byte of a request, or the connection, to its last byte.
constexpr Duration kRequestTime = std::chrono::seconds(1);
// Between two requests of a connection that is kept. Prometheus scrapes every 15 to 60 s.
constexpr Duration kKeptTime = std::chrono::seconds(90);
// For a client to take a response before the next one is made.
constexpr Duration kTakeTime = std::chrono::seconds(10);

HttpResponse Sentence(unsigned status, std::string text) {
  HttpResponse response;
  response.status = status;
  response.body = std::move(text) + "\n";
  return response;
}

HttpResponse Answer(const HttpRequest& request, const AdminContent& content) {
  if (request.method != HttpRequest::Method::kGet && request.method != HttpRequest::Method::kHead) {
    return Sentence(405, "only GET and HEAD are answered here");
  }
  if (request.path == "/metrics") {
    return {200, "text/plain; version=0.0.4; charset=utf-8", content.metrics()};
  }
  if (request.path == "/healthz") return Sentence(200, "ok");
  if (request.path == "/readyz") {
    const std::string why = content.not_ready();
    return why.empty() ? Sentence(200, "ready") : Sentence(503, why);
  }
  return Sentence(404, "there are /metrics, /healthz, /readyz and the API at /api/v1/ here");
}

// One operator's connection. When it is over it says so once and waits to be removed.
class Connection final : public Stream::Observer {
 public:
  Connection(Loop& loop, const AdminContent& content, std::unique_ptr<Stream> stream,
             std::function<void()> changed)
      : content_(content),
        stream_(std::move(stream)),
        changed_(std::move(changed)),
        deadline_(
            loop.deadlines(), [](void* self) { static_cast<Connection*>(self)->Expire(); }, this) {}

  void Start() {
    Arm(kRequestTime);
    stream_->WipeReads(true);
    stream_->Start(*this);
  }
  bool over() const { return stream_ == nullptr; }
  // Between two requests; the first may be given up for somebody who wants to ask.
  bool idle() const { return idle_since_.has_value(); }
  Instant idle_since() const { return *idle_since_; }
  void End(Stream::How how) {
    if (over()) return;
    deadline_.Disarm();
    idle_since_.reset();
    asked_.reset();
    stream_->Close(how);
    stream_.reset();
    changed_();
  }

  void OnOpen() override {}
  void OnBytes(std::string_view bytes) override {
    if (idle()) {
      idle_since_.reset();
      Arm(kRequestTime);
      changed_();
    }
    AppendSecret(bytes_, bytes);
    Pump();
  }
  void OnDrained() override {
    waiting_ = false;
    stream_->SetReading(true);
    Arm(kRequestTime);
    Pump();
  }
  void OnEnd(const Status& why) override {
    End(why.ok() ? Stream::How::kFlush : Stream::How::kAbort);
  }

 private:
  // A request whose answer is to come; dropped with it, or with the connection.
  struct Asked {
    Connection& connection;
    HttpRequest request;
  };

  void Arm(Duration time) { deadline_.Arm(MonotonicNow() + time); }
  // Too slow, in sending a request or in taking a response: a kept connection ends in order. The
  // server was too slow: the client is told.
  void Expire() {
    if (asked_ == nullptr) return End(idle() ? Stream::How::kFlush : Stream::How::kAbort);
    Answered(*asked_, ApiError(504, "no answer in time; what was asked may yet happen"));
  }

  // Answers the requests that are there.
  void Pump() {
    while (!over() && !waiting_ && !asked_) {
      HttpRequest request;
      switch (reader_.Read(bytes_, request)) {
        case HttpReader::Verdict::kMore:
          return;
        case HttpReader::Verdict::kRequest:
          if (IsApiRequest(request)) {
            Ask(std::move(request));
          } else {
            Respond(Answer(request, content_), request);
          }
          break;
        case HttpReader::Verdict::kBad:
          Respond(Sentence(400, "this is not an HTTP request that is understood here"), {});
          break;
        case HttpReader::Verdict::kTooLarge:
          Respond(Sentence(431, "a request may have 4 KiB here"), {});
          break;
      }
    }
  }

  // The answer may come on a later turn. Until then nothing more is read, and the client may go.
  void Ask(HttpRequest request) {
    const auto asked = std::make_shared<Asked>(Asked{*this, std::move(request)});
    asked_ = asked;
    AnswerApi(asked->request, content_.api,
              [waits = std::weak_ptr<Asked>(asked)](const HttpResponse& response) {
                if (const auto still = waits.lock()) still->connection.Answered(*still, response);
              });
    if (!asked_) return;
    stream_->SetReading(false);
    late_ = true;
    Arm(ApiPatience(asked_->request));
  }
  void Answered(const Asked& what, const HttpResponse& response) {
    if (asked_.get() != &what) return;
    const std::shared_ptr<Asked> asked = std::exchange(asked_, nullptr);
    const bool late = std::exchange(late_, false);
    if (late) stream_->SetReading(true);
    Respond(response, asked->request);
    if (late) Pump();
  }

  void Respond(const HttpResponse& response, const HttpRequest& request) {
    const bool head = request.method == HttpRequest::Method::kHead;
    stream_->Write(RenderResponse(response, head, request.keep_alive));
    if (!request.keep_alive) return End(Stream::How::kFlush);
    if (stream_->backlog() >= kHighMark) {
      waiting_ = true;
      stream_->SetReading(false);
      return Arm(kTakeTime);
    }
    if (!bytes_.empty()) return Arm(kRequestTime);
    idle_since_ = MonotonicNow();
    Arm(kKeptTime);
    changed_();
  }

  const AdminContent& content_;
  std::unique_ptr<Stream> stream_;  // null when it is over
  const std::function<void()> changed_;
  Deadline deadline_;
  HttpReader reader_;
  std::string bytes_;  // read and not yet used
  std::optional<Instant> idle_since_;
  bool waiting_ = false;  // for the client to take what it asked for
  std::shared_ptr<Asked> asked_;
  bool late_ = false;  // the answer did not come at once
};

class AdminListener final : public Admin {
 public:
  AdminListener(Loop& loop, std::string address, AdminContent content)
      : loop_(loop), address_(std::move(address)), content_(std::move(content)) {}
  ~AdminListener() override {
    listener_.reset();
    for (const auto& connection : connections_) connection->End(Stream::How::kFlush);
    if (StartsWithNoCase(address_, kUnix)) unlink(address_.substr(kUnix.size()).c_str());
  }
  AdminListener(const AdminListener&) = delete;
  AdminListener& operator=(const AdminListener&) = delete;

  Status Listen(BoundSocket socket) {
    auto listener = Listener::Open(loop_, std::move(socket),
                                   [this](std::unique_ptr<Stream> stream, const Address&,
                                          const Address&) { Accept(std::move(stream)); });
    if (!listener.ok()) return listener.error();
    listener_ = std::move(listener.value());
    return {};
  }
  const std::string& address() const override { return address_; }

 private:
  void Accept(std::unique_ptr<Stream> stream) {
    // The one place where no connection is on the stack, so that those that are over can go.
    std::erase_if(connections_, [](const auto& connection) { return connection->over(); });
    if (connections_.size() >= kMaxConnections) EndLongestIdle();
    connections_.push_back(std::make_unique<Connection>(loop_, content_, std::move(stream),
                                                        [this] { AdjustAccepting(); }));
    connections_.back()->Start();
    AdjustAccepting();
  }

  void EndLongestIdle() {
    Connection* longest = nullptr;
    for (const auto& connection : connections_) {
      if (!connection->idle()) continue;
      if (longest == nullptr || connection->idle_since() < longest->idle_since()) {
        longest = connection.get();
      }
    }
    if (longest != nullptr) longest->End(Stream::How::kFlush);
  }

  // With all places taken by requests under way, newcomers wait in the kernel's queue: for a
  // second, or as long as an answer of the API may take.
  void AdjustAccepting() {
    const auto busy = std::count_if(
        connections_.begin(), connections_.end(),
        [](const auto& connection) { return !connection->over() && !connection->idle(); });
    if (listener_ == nullptr) return;
    if (static_cast<std::size_t>(busy) >= kMaxConnections) {
      listener_->Pause();
    } else {
      listener_->Resume();
    }
  }

  Loop& loop_;
  const std::string address_;
  const AdminContent content_;
  std::unique_ptr<Listener> listener_;
  std::vector<std::unique_ptr<Connection>> connections_;
};

Result<BoundSocket> BindTcp(const std::string& text) {
  const Result<Address> address = Address::Parse(text);
  if (!address.ok()) return address.error();
  const Status free = BoundSocket::CheckFree(address.value());
  if (!free.ok()) return free;
  return BoundSocket::Bind(address.value());
}

}  // namespace

Result<std::unique_ptr<Admin>> Admin::Open(Loop& loop, const std::string& address,
                                           AdminContent content) {
  const bool is_unix = StartsWithNoCase(address, kUnix);
  Result<BoundSocket> socket =
      is_unix ? BoundSocket::BindUnix(address.substr(kUnix.size())) : BindTcp(address);
  if (!socket.ok()) return socket.error();
  std::string bound = is_unix ? address : socket.value().address().Text();
  auto admin = std::make_unique<AdminListener>(loop, std::move(bound), std::move(content));
  const Status listening = admin->Listen(std::move(socket.value()));
  if (!listening.ok()) return listening;
  return std::unique_ptr<Admin>(std::move(admin));
}

}  // namespace postern
