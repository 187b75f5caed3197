// Ledger: how many sessions hold a place under each `limit` rule, by user or by client. Shared by
// all workers; touched at login, logout and at a connection's beginning and end, never by a
// relayed command. Striped by hash; any thread.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "postern/base/clock.h"

namespace postern {

class Ledger {
 public:
  // Whose place it is.
  struct Holder {
    unsigned worker = 0;
    std::string session;  // its id
  };

  // One place that a session holds; given back when destroyed. The ledger outlives it.
  class Place {
   public:
    Place(Ledger& ledger, std::string key, Holder holder)
        : ledger_(ledger), key_(std::move(key)), holder_(std::move(holder)) {}
    ~Place();
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    // Since when its session waits for nothing; before the first call, and while it is busy, it is
    // not ended for others. The session's thread.
    void Idle(Instant since);
    void Busy() { idle_since_.store(kBusy, std::memory_order_relaxed); }

   private:
    friend class Ledger;
    static constexpr std::int64_t kBusy = 0;
    Ledger& ledger_;
    const std::string key_;
    const Holder holder_;
    std::atomic<std::int64_t> idle_since_{kBusy};
    bool listed_ = false;  // under the stripe's lock
  };

  // What a limit is about: "RULE" and a user or a client.
  static std::string Key(const std::string& rule, std::string_view whose);

  // Whether a place is free under this key.
  bool HasRoom(const std::string& key, std::size_t limit) const;
  struct Taken {
    std::unique_ptr<Place> place;  // null: all are taken
    std::optional<Holder> end;     // whose session is to be ended for it: the longest idle
  };
  // A place of at most limit. With end_idle, one that is idle gives way.
  Taken Take(const std::string& key, std::size_t limit, bool end_idle, Holder holder);
  // Keys with a place taken, for tests.
  std::size_t size() const;

 private:
  struct Stripe {
    mutable std::mutex lock;
    std::unordered_map<std::string, std::vector<Place*>> places;
  };
  static constexpr std::size_t kStripes = 64;
  Stripe& StripeOf(const std::string& key) const;

  mutable std::array<Stripe, kStripes> stripes_;
};

}  // namespace postern
