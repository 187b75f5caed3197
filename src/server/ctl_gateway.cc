#include "server/ctl_gateway.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <toml++/toml.h>
#include <unistd.h>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include "postern/base/address.h"
#include "postern/base/text.h"
#include "server/config_values.h"

namespace postern {
namespace {

namespace http = boost::beast::http;

constexpr std::string_view kUnix = "unix:";
// The list of a hundred thousand sessions has some forty.
constexpr std::uint64_t kLargestAnswer = std::uint64_t{256} * 1024 * 1024;

Status Failed() { return Status::Error(std::strerror(errno)); }

// A socket whose every operation gives up at the deadline.
class Line {
 public:
  explicit Line(Instant deadline) : deadline_(deadline) {}
  ~Line() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  Line(const Line&) = delete;
  Line& operator=(const Line&) = delete;

  Status Connect(const std::string& address) {
    if (StartsWithNoCase(address, kUnix)) return ConnectUnix(address.substr(kUnix.size()));
    const Result<Address> to = Address::Resolve(address);
    if (!to.ok()) return to.error();
    if (to.value().port() == 0) {
      return Status::Error(
          "port 0 is whichever was free; the log line \"listening\" has it, for --address");
    }
    return Open(to.value().family(), to.value().sockaddr_ptr(), to.value().sockaddr_size());
  }

  Status Send(std::string_view bytes) {
    while (!bytes.empty()) {
      if (Status status = Wait(POLLOUT); !status.ok()) return status;
      const ssize_t sent = send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent < 0 && errno != EAGAIN && errno != EINTR) return Failed();
      if (sent > 0) bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return {};
  }

  // Appends what is there; nothing is appended at the end.
  Status Receive(std::string& bytes) {
    char buffer[64 * 1024];
    for (;;) {
      if (Status status = Wait(POLLIN); !status.ok()) return status;
      const ssize_t size = recv(descriptor_, buffer, sizeof buffer, 0);
      if (size < 0 && (errno == EAGAIN || errno == EINTR)) continue;
      if (size < 0) return Failed();
      bytes.append(buffer, static_cast<std::size_t>(size));
      return {};
    }
  }

 private:
  Status ConnectUnix(const std::string& path) {
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    if (path.size() >= sizeof name.sun_path) return Status::Error("the path is too long");
    path.copy(name.sun_path, path.size());
    return Open(AF_UNIX, reinterpret_cast<const sockaddr*>(&name), sizeof name);
  }

  Status Open(int family, const sockaddr* to, socklen_t size) {
    descriptor_ = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (descriptor_ < 0) return Failed();
    if (connect(descriptor_, to, size) == 0) return {};
    if (errno != EINPROGRESS) return Failed();
    if (Status status = Wait(POLLOUT); !status.ok()) return status;
    socklen_t length = sizeof errno;
    int error = 0;
    getsockopt(descriptor_, SOL_SOCKET, SO_ERROR, &error, &length);
    return error == 0 ? Status() : Status::Error(std::strerror(error));
  }

  Status Wait(short events) {
    for (;;) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline_ - MonotonicNow());
      pollfd wanted{descriptor_, events, 0};
      const int ready = left.count() > 0 ? poll(&wanted, 1, static_cast<int>(left.count())) : 0;
      if (ready > 0) return {};
      if (ready == 0) return Status::Error("no answer in time");
      if (errno != EINTR) return Failed();
    }
  }

  const Instant deadline_;
  int descriptor_ = -1;
};

Result<GatewayAnswer> ReadAnswer(Line& line) {
  http::response_parser<http::string_body> parser;
  parser.eager(true);
  parser.body_limit(kLargestAnswer);
  std::string bytes;
  while (!parser.is_done()) {
    const std::size_t before = bytes.size();
    if (Status status = line.Receive(bytes); !status.ok()) return status;
    boost::system::error_code error;
    if (bytes.size() == before) {
      return Status::Error("it closed the connection before its answer was whole");
    }
    const std::size_t used = parser.put(boost::asio::buffer(bytes), error);
    bytes.erase(0, used);
    if (error && error != http::error::need_more) {
      return Status::Error("what answers there does not speak HTTP");
    }
  }
  return GatewayAnswer{parser.get().result_int(), std::move(parser.get().body())};
}

}  // namespace

Result<GatewayPlace> FindGateway(const std::string& config_file) {
  std::ifstream file(config_file);
  if (!file) return Status::Error(config_file + ": " + std::strerror(errno));
  std::ostringstream text;
  text << file.rdbuf();
  GatewayPlace place;
  try {
    const toml::table root = toml::parse(text.str(), std::string_view(config_file));
    const toml::node_view admin = root["admin"];
    place.address = admin["address"].value_or(place.address);
    place.token_file = admin["token_file"].value_or(std::string());
  } catch (const toml::parse_error& error) {
    const toml::source_position at = error.source().begin;
    return Status::Error(config_file + ":" + std::to_string(at.line) + ":" +
                         std::to_string(at.column) + ": " + std::string(error.description()));
  }
  if (!place.token_file.empty()) place.token_file = FromFolderOf(config_file, place.token_file);
  return place;
}

Result<GatewayAnswer> AskGateway(const std::string& address, const GatewayQuestion& question) {
  Line line(MonotonicNow() + question.patience);
  if (Status status = line.Connect(address); !status.ok()) return status;
  std::string request = question.post ? "POST " : "GET ";
  request += question.target + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n";
  if (question.token != nullptr) {
    AppendSecret(request, "Authorization: Bearer ");
    AppendSecret(request, question.token->Reveal());
    AppendSecret(request, "\r\n");
  }
  AppendSecret(request, question.post ? "Content-Length: 0\r\n\r\n" : "\r\n");
  const Status sent = line.Send(request);
  Wipe(request);
  if (!sent.ok()) return sent;
  return ReadAnswer(line);
}

std::string QueryText(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto octet = static_cast<unsigned char>(c);
    const char lower = AsciiLower(c);
    const bool plain = (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') ||
                       std::string_view("-._~/").find(c) != std::string_view::npos;
    if (plain) {
      out += c;
    } else {
      out += {'%', kHex[octet >> 4], kHex[octet & 15]};
    }
  }
  return out;
}

}  // namespace postern
