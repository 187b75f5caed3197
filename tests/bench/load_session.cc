#include "load_session.h"

#include <openssl/ssl.h>
#include <sys/epoll.h>

#include <algorithm>

namespace postern {
namespace {

constexpr size_t kUploadPiece = 64 * 1024;
constexpr size_t kUploadAhead = 256 * 1024;

const std::string& UploadText() {
  static const std::string text = [] {
    std::string made;
    while (made.size() < kUploadPiece) made += std::string(62, 'u') + "\r\n";
    return made;
  }();
  return text;
}

std::string WithUser(const std::string& text, const std::string& user) {
  const size_t at = text.find("{user}");
  if (at == std::string::npos) return text;
  return text.substr(0, at) + user + text.substr(at + 6);
}

}  // namespace

void Load::Fail(const std::string& why) {
  if (errors++ == 0) first_error = why;
}

LoadSession::LoadSession(Load& load, int number)
    : load_(load),
      number_(static_cast<size_t>(number)),
      user_("user" + std::to_string(number)),
      script_(&load.scripts.front()) {}

LoadSession::~LoadSession() {
  if (ticket_ != nullptr) SSL_SESSION_free(ticket_);
}

void LoadSession::KeepTicket(SSL_SESSION* ticket) {
  if (ticket_ != nullptr) SSL_SESSION_free(ticket_);
  ticket_ = ticket;
}

void LoadSession::Open() {
  script_ = &load_.scripts[(number_ + opened_++) % load_.scripts.size()];
  offered_ = load_.resume && ticket_ != nullptr;
  operation_since_ns_ = NowNs();
  channel_ = std::make_unique<Channel>(ConnectTo(load_.target), load_.tls, false,
                                       offered_ ? ticket_ : nullptr, this);
  replies_ = std::make_unique<Replies>(script_->protocol);
  handshaken_ = logged_in_ = false;
  next_ = 1;  // the first step, the greeting, is only awaited
  in_flight_.assign(1, {0, &script_->steps[0], operation_since_ns_});
  tags_ = upload_left_ = 0;
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | static_cast<uint32_t>(EPOLLET);
  event.data.ptr = this;
  epoll_ctl(load_.epoll, EPOLL_CTL_ADD, channel_->fd(), &event);
  if (channel_->BeginHandshake() != Channel::Status::kOpen) load_.Fail("handshake did not begin");
}

void LoadSession::OnEvent(uint32_t events) {
  if (channel_ == nullptr) return;
  Channel::Status status = Channel::Status::kOpen;
  if ((events & ~static_cast<uint32_t>(EPOLLOUT)) != 0) {
    status = channel_->Receive((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0, *this);
    if (broken_) status = Channel::Status::kFailed;
  }
  if (status == Channel::Status::kOpen) status = channel_->Flush();
  if (status == Channel::Status::kOpen && upload_left_ > 0) Upload();
  if (status != Channel::Status::kOpen) Ended(status);
}

void LoadSession::Handshaken() {
  handshaken_ = true;
  const std::string complaint = channel_->CipherComplaint();
  if (!complaint.empty()) load_.Fail(complaint);
  if (!load_.measuring) return;
  ++load_.handshakes;
  load_.resumed += channel_->resumed() ? 1 : 0;
}

void LoadSession::OnBytes(std::string_view bytes) {
  if (!handshaken_) Handshaken();
  while (!broken_) {
    const Ending awaited = in_flight_.empty() ? Ending::kLine : in_flight_.front().step->ending;
    const Replies::Event event = replies_->Next(bytes, awaited);
    if (event == Replies::Event::kNone) break;
    OnReply(event);
  }
  const uint64_t octets = replies_->TakeBodyOctets();
  if (load_.measuring) load_.octets += octets;
  if (!load_.on_demand || !logged_in_) Advance();
}

void LoadSession::OnReply(Replies::Event event) {
  if (event == Replies::Event::kContinuation && !in_flight_.empty() && upload_left_ == 0) {
    if (in_flight_.back().step->idle) return channel_->Write("DONE\r\n");
    upload_left_ = in_flight_.back().step->upload;
    if (upload_left_ > 0) return Upload();
  }
  const bool expected =
      !in_flight_.empty() &&
      (event == Replies::Event::kGreeting ||
       (event == Replies::Event::kTagged && replies_->tag() == in_flight_.front().tag) ||
       event == Replies::Event::kReply);
  if (!expected || (event != Replies::Event::kGreeting && !replies_->ok())) {
    load_.Fail("unexpected answer: " + std::string(replies_->line().substr(0, 200)));
    broken_ = true;
    return;
  }
  Complete();
}

void LoadSession::Complete() {
  const InFlight done = in_flight_.front();
  in_flight_.pop_front();
  const Script& script = *script_;
  const auto index = static_cast<size_t>(done.step - script.steps.data());
  if (index + 1 == script.loop_begin) {
    logged_in_ = true;
    ++load_.logged_in;
    if (load_.logins) Count(operation_since_ns_);
  }
  if (index < script.loop_begin) return;
  ++load_.answered;
  if (!load_.reconnect && !load_.logins && index + 1 == script.steps.size()) Count(done.since_ns);
}

void LoadSession::Count(int64_t since_ns) {
  if (!load_.measuring) return;
  ++load_.operations;
  load_.latencies.Add(NowNs() - since_ns);
}

void LoadSession::Advance() {
  if (upload_left_ > 0) return;
  const Script& script = *script_;
  const size_t depth = logged_in_ ? load_.depth : 1;
  const int64_t now = NowNs();
  while (in_flight_.size() < depth) {
    if (next_ == script.steps.size()) {
      if (load_.reconnect || script.loop_begin == next_) return;
      next_ = script.loop_begin;
    }
    if (load_.on_demand && next_ == script.loop_begin) return;
    if (next_ == script.loop_begin && !load_.reconnect) operation_since_ns_ = now;
    Send(script.steps[next_++], operation_since_ns_);
  }
}

void LoadSession::SendOne(int64_t due_ns) {
  if (channel_ == nullptr || broken_) return;
  Send(script_->steps[script_->loop_begin], due_ns);
  if (channel_->Flush() == Channel::Status::kFailed) Ended(Channel::Status::kFailed);
}

void LoadSession::Send(const Step& step, int64_t since_ns) {
  std::string line = WithUser(step.text, user_) + "\r\n";
  const uint64_t tag = ++tags_;
  if (script_->protocol == Protocol::kImap) line.insert(0, "A" + std::to_string(tag) + " ");
  in_flight_.push_back({tag, &step, since_ns});
  channel_->Write(line);
}

void LoadSession::Upload() {
  const bool counted = load_.measuring;
  while (upload_left_ > 0 && channel_->backlog() < kUploadAhead) {
    const auto size = static_cast<size_t>(std::min<uint64_t>(upload_left_, kUploadPiece));
    channel_->Write(std::string_view(UploadText()).substr(0, size));
    upload_left_ -= size;
    if (counted) load_.octets += size;
    if (upload_left_ == 0) channel_->Write("\r\n");
    if (channel_->Flush() == Channel::Status::kFailed) return;  // the next event reports it
  }
}

void LoadSession::Ended(Channel::Status status) {
  channel_.reset();
  const bool farewell = finished() && in_flight_.empty() && status == Channel::Status::kEnded;
  if (!farewell) {
    if (!broken_) {
      load_.Fail(status == Channel::Status::kFailed ? "the connection broke"
                                                    : "the server closed the connection");
    }
    return;
  }
  Count(operation_since_ns_);
  Open();
}

}  // namespace postern
