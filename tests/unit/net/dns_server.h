// DnsServer: a name server on loopback that a test tells what to say. Answers when it is served,
// which a test does between turns.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "postern/base/address.h"
#include "postern/base/check.h"

namespace postern {

class DnsServer {
 public:
  DnsServer() : descriptor_(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    const Address any = Address::Parse("127.0.0.1:0").value();
    POSTERN_CHECK(bind(descriptor_, any.sockaddr_ptr(), any.sockaddr_size()) == 0);
    sockaddr_storage storage{};
    socklen_t size = sizeof storage;
    auto* name = reinterpret_cast<sockaddr*>(&storage);
    POSTERN_CHECK(getsockname(descriptor_, name, &size) == 0);
    address_ = Address::FromSockaddr(name);
  }
  ~DnsServer() { close(descriptor_); }
  DnsServer(const DnsServer&) = delete;
  DnsServer& operator=(const DnsServer&) = delete;

  const Address& address() const { return address_; }
  // Numeric addresses by name; a name that is not there does not exist.
  std::map<std::string, std::vector<std::string>> names;
  std::uint32_t ttl = 60;
  bool silent = false;  // takes questions and says nothing
  int questions = 0;

  // Answers what has come; does not wait.
  void Serve() {
    char buffer[512];
    sockaddr_storage from{};
    socklen_t size = sizeof from;
    auto* name = reinterpret_cast<sockaddr*>(&from);
    ssize_t got;
    while ((got = recvfrom(descriptor_, buffer, sizeof buffer, MSG_DONTWAIT, name, &size)) > 0) {
      ++questions;
      if (silent) continue;
      const std::string answer = Answer({buffer, static_cast<std::size_t>(got)});
      sendto(descriptor_, answer.data(), answer.size(), 0, name, size);
    }
  }

 private:
  static void Put16(std::string& out, unsigned number) {
    out += static_cast<char>(number >> 8 & 0xff);
    out += static_cast<char>(number & 0xff);
  }
  // RFC 1035 §4.1: a header, the question again, and the records.
  std::string Answer(const std::string& query) const {
    std::string name;
    std::size_t at = 12;
    for (; query.at(at) != 0; at += 1u + static_cast<unsigned char>(query.at(at))) {
      name += (name.empty() ? "" : ".") +
              query.substr(at + 1, static_cast<unsigned char>(query.at(at)));
    }
    const bool wants_ip4 = query.at(at + 2) == 1;
    const std::size_t question_end = at + 5;
    std::string records;
    unsigned count = 0;
    const auto found = names.find(name);
    if (found != names.end()) {
      for (const std::string& text : found->second) {
        const bool is_ip4 = text.find(':') == text.npos;
        if (is_ip4 != wants_ip4) continue;
        char octets[16];
        POSTERN_CHECK(inet_pton(is_ip4 ? AF_INET : AF_INET6, text.c_str(), octets) == 1);
        Put16(records, 0xc00c);  // the question's name
        Put16(records, is_ip4 ? 1 : 28);
        Put16(records, 1);
        Put16(records, ttl >> 16);
        Put16(records, ttl & 0xffff);
        Put16(records, is_ip4 ? 4 : 16);
        records.append(octets, is_ip4 ? 4 : 16);
        ++count;
      }
    }
    std::string out = query.substr(0, 2);
    Put16(out, found == names.end() ? 0x8183 : 0x8180);  // NXDOMAIN
    Put16(out, 1);
    Put16(out, count);
    Put16(out, 0);
    Put16(out, 0);
    return out + query.substr(12, question_end - 12) + records;
  }

  int descriptor_;
  Address address_;
};

}  // namespace postern
