#include "postern/net/resolver.h"

#include <ares.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <utility>

#include "net/loop_inner.h"
#include "postern/base/check.h"

namespace postern {
namespace {

struct Answer {
  Resolver::Done done;
  Result<ResolvedName> result;
};

// A socket of c-ares, watched for it by the loop. Closes itself; the loop frees it.
struct Watch {
  uv_poll_t poll;
  Resolver::Inner* resolver;
};

int Milliseconds(Duration time) {
  return static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(time).count());
}

bool IsAbsent(int status) { return status == ARES_ENOTFOUND || status == ARES_ENODATA; }

Status ErrorOf(const std::string& name, int status) {
  if (IsAbsent(status)) return Status::Error("the name " + name + " does not exist");
  return Status::Error("no name server answered for " + name + ": " + ares_strerror(status));
}

ResolvedName ReadAnswer(const ares_addrinfo& info) {
  ResolvedName found;
  int ttl = -1;
  for (const int family : {AF_INET, AF_INET6}) {
    for (const ares_addrinfo_node* node = info.nodes; node != nullptr; node = node->ai_next) {
      if (node->ai_family != family) continue;
      found.addresses.push_back(Address::FromSockaddr(node->ai_addr));
      ttl = ttl < 0 ? node->ai_ttl : std::min(ttl, node->ai_ttl);
    }
  }
  found.ttl = std::chrono::seconds(std::max(ttl, 0));
  return found;
}

}  // namespace

struct Resolver::Inner {
  Inner(Loop& its_loop, const ResolverOptions& its_options)
      : loop(its_loop.inner()),
        options(its_options),
        retry(
            loop.deadlines, [](void* self) { static_cast<Inner*>(self)->OnTimeout(); }, this),
        deliver(
            loop.deadlines, [](void* self) { static_cast<Inner*>(self)->Deliver(); }, this) {
    POSTERN_CHECK(ares_library_init(ARES_LIB_INIT_ALL) == ARES_SUCCESS);
    Open();
  }
  ~Inner() {
    Close();
    ares_library_cleanup();
  }
  Inner(const Inner&) = delete;
  Inner& operator=(const Inner&) = delete;

  void Open();
  void Close();
  void OnSocket(ares_socket_t socket, bool readable, bool writable);
  void OnTimeout();
  void Arm();
  void Deliver();

  Loop::Inner& loop;
  const ResolverOptions options;
  ares_channel channel = nullptr;
  std::map<ares_socket_t, Watch*> watches;
  std::size_t open_questions = 0;
  bool unanswered = false;  // the last one had no answer of any server
  std::vector<Answer> answers;
  Deadline retry;    // when c-ares wants to try again
  Deadline deliver;  // what is answered is told on a later turn
};

namespace {

// One question under way. c-ares owns it until it calls back, which it always does.
struct Question {
  Resolver::Inner& resolver;
  std::string name;
  Resolver::Done done;
};

void OnAnswer(void* argument, int status, int, ares_addrinfo* info) noexcept {
  const std::unique_ptr<Question> question(static_cast<Question*>(argument));
  const std::unique_ptr<ares_addrinfo, void (*)(ares_addrinfo*)> owned(info, ares_freeaddrinfo);
  Resolver::Inner& resolver = question->resolver;
  --resolver.open_questions;
  if (status == ARES_EDESTRUCTION) return;
  Result<ResolvedName> result =
      ErrorOf(question->name, status == ARES_SUCCESS ? ARES_ENODATA : status);
  if (status == ARES_SUCCESS) {
    ResolvedName found = ReadAnswer(*info);
    if (!found.addresses.empty()) result = std::move(found);
  }
  resolver.unanswered = !result.ok() && !IsAbsent(status) && status != ARES_SUCCESS;
  resolver.answers.push_back({std::move(question->done), std::move(result)});
  resolver.deliver.Arm(MonotonicNow());
}

void OnPoll(uv_poll_t* poll, int status, int events) noexcept {
  Loop::Inner::Of(poll->loop).EnterCallback();
  const auto* watch = static_cast<Watch*>(poll->data);
  Resolver::Inner& resolver = *watch->resolver;
  uv_os_fd_t descriptor = -1;
  POSTERN_CHECK(uv_fileno(reinterpret_cast<uv_handle_t*>(poll), &descriptor) == 0);
  // After an error c-ares finds out by reading.
  const bool readable = status != 0 || (events & UV_READABLE) != 0;
  const bool writable = status == 0 && (events & UV_WRITABLE) != 0;
  ares_process_fd(resolver.channel, readable ? descriptor : ARES_SOCKET_BAD,
                  writable ? descriptor : ARES_SOCKET_BAD);
  resolver.Arm();
}

}  // namespace

void Resolver::Inner::Open() {
  ares_options settings{};
  char lookups[] = "fb";  // the hosts file, then DNS
  settings.lookups = lookups;
  settings.timeout = Milliseconds(options.timeout);
  settings.tries = options.tries;
  settings.sock_state_cb = [](void* self, ares_socket_t socket, int readable,
                              int writable) noexcept {
    static_cast<Inner*>(self)->OnSocket(socket, readable != 0, writable != 0);
  };
  settings.sock_state_cb_data = this;
  const int mask = ARES_OPT_LOOKUPS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB;
  POSTERN_CHECK(ares_init_options(&channel, &settings, mask) == ARES_SUCCESS);
  if (options.servers.empty()) return;
  std::vector<ares_addr_port_node> servers(options.servers.size());
  for (std::size_t i = 0; i < servers.size(); ++i) {
    const Address& address = options.servers[i];
    servers[i].next = i + 1 < servers.size() ? &servers[i + 1] : nullptr;
    servers[i].family = address.family();
    servers[i].udp_port = servers[i].tcp_port = address.port();
    const sockaddr* raw = address.sockaddr_ptr();
    if (address.family() == AF_INET) {
      servers[i].addr.addr4 = reinterpret_cast<const sockaddr_in*>(raw)->sin_addr;
    } else {
      std::memcpy(&servers[i].addr.addr6, &reinterpret_cast<const sockaddr_in6*>(raw)->sin6_addr,
                  sizeof servers[i].addr.addr6);
    }
  }
  POSTERN_CHECK(ares_set_servers_ports(channel, servers.data()) == ARES_SUCCESS);
}

void Resolver::Inner::Close() {
  ares_destroy(std::exchange(channel, nullptr));
  POSTERN_CHECK(watches.empty() && open_questions == 0);
}

// c-ares closes the socket when it has said that it waits for nothing.
void Resolver::Inner::OnSocket(ares_socket_t socket, bool readable, bool writable) {
  const auto found = watches.find(socket);
  if (!readable && !writable) {
    if (found == watches.end()) return;
    Watch* watch = found->second;
    watches.erase(found);
    uv_poll_stop(&watch->poll);
    uv_close(reinterpret_cast<uv_handle_t*>(&watch->poll),
             [](uv_handle_t* handle) noexcept { delete static_cast<Watch*>(handle->data); });
    return;
  }
  Watch* watch = found == watches.end() ? nullptr : found->second;
  if (watch == nullptr) {
    watch = new Watch{{}, this};
    watch->poll.data = watch;
    POSTERN_CHECK(uv_poll_init_socket(&loop.uv, &watch->poll, socket) == 0);
    watches[socket] = watch;
  }
  uv_poll_start(&watch->poll, (readable ? UV_READABLE : 0) | (writable ? UV_WRITABLE : 0), OnPoll);
}

void Resolver::Inner::OnTimeout() {
  ares_process_fd(channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
  Arm();
}

void Resolver::Inner::Arm() {
  timeval wait{};
  if (ares_timeout(channel, nullptr, &wait) == nullptr) return retry.Disarm();
  retry.Arm(MonotonicNow() + std::chrono::seconds(wait.tv_sec) +
            std::chrono::microseconds(wait.tv_usec));
}

void Resolver::Inner::Deliver() {
  for (Answer& answer : std::exchange(answers, {})) answer.done(std::move(answer.result));
}

Resolver::Resolver(Loop& loop, const ResolverOptions& options)
    : inner_(std::make_unique<Inner>(loop, options)) {}
Resolver::~Resolver() = default;

void Resolver::Resolve(const std::string& name, Done done) {
  // The system's name servers may be others by now.
  if (inner_->unanswered && inner_->open_questions == 0) {
    inner_->Close();
    inner_->Open();
    inner_->unanswered = false;
  }
  ares_addrinfo_hints hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = ARES_AI_NOSORT;
  ++inner_->open_questions;
  auto question = std::make_unique<Question>(Question{*inner_, name, std::move(done)});
  ares_getaddrinfo(inner_->channel, name.c_str(), nullptr, &hints, OnAnswer, question.release());
  inner_->Arm();
}

}  // namespace postern
