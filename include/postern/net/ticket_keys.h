// TicketKeys: the keys with which session tickets are sealed (RFC 5077, RFC 8446 4.6.1), common to
// all workers, and to all machines that share the secret. A day's key seals for a day; the day
// before's still opens. Any thread; a lock that is held for a copy, per handshake only.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "postern/base/status.h"

namespace postern {

class TicketKeys {
 public:
  // One context's ticket key, derived for its policy: a ticket sealed under one policy never opens
  // under another.
  struct Key {
    std::string name;  // 16 octets, public
    std::string aes;   // 16 octets
    std::string hmac;  // 32 octets
  };
  using WallClock = std::function<std::int64_t()>;  // seconds since 1970

  // Keys of this process alone: random, new every day, wiped when they are two days old.
  explicit TicketKeys(WallClock clock = {});
  // Derived day by day from secrets that several machines share, so that all of them change at the
  // same time. The first secret seals, the others only open.
  TicketKeys(std::vector<std::string> secrets, WallClock clock = {});
  ~TicketKeys();
  TicketKeys(const TicketKeys&) = delete;
  TicketKeys& operator=(const TicketKeys&) = delete;

  // Secrets of a file: binary of exactly 48 or 80 octets is one, else each line that is not empty
  // is one, in base64 or hex, of at least 32 octets. Errors name the file.
  static Result<std::vector<std::string>> ReadFile(const std::string& path);

  // The key that seals now.
  Key Current(std::string_view policy);
  // The key of that name, if it still opens; renew says that a new ticket should be issued.
  bool Find(std::string_view policy, std::string_view name, Key& key, bool& renew);

 private:
  struct Period;
  std::vector<Period> PeriodsNow();
  void Rotate(std::int64_t today);

  const WallClock clock_;
  std::mutex lock_;
  std::vector<std::string> secrets_;  // shared ones; empty: random
  std::vector<Period> random_;        // newest first
};

}  // namespace postern
