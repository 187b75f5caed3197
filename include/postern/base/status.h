// Status and Result: how a failure is told without exceptions.
// Values; any thread. A Result is either a value or a failed Status, never neither.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "postern/base/check.h"

namespace postern {

// Success, or a sentence for people that says what failed and, where possible, what would be right.
class [[nodiscard]] Status {
 public:
  Status() = default;
  static Status Error(std::string message) { return Status(std::move(message)); }

  bool ok() const { return !message_.has_value(); }
  // The empty string when ok. Lives as long as the Status.
  const std::string& message() const {
    static const std::string none;
    return message_ ? *message_ : none;
  }

 private:
  explicit Status(std::string message) : message_(std::move(message)) {}
  std::optional<std::string> message_;
};

// A T, or why there is none. The names follow std::expected, which this compiler does not have.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}                                     // NOLINT
  Result(Status error) : error_(std::move(error)) { POSTERN_CHECK(!error_.ok()); }  // NOLINT

  bool ok() const { return value_.has_value(); }
  T& value() {
    POSTERN_CHECK(ok());
    return *value_;
  }
  const T& value() const {
    POSTERN_CHECK(ok());
    return *value_;
  }
  const Status& error() const { return error_; }

 private:
  std::optional<T> value_;
  Status error_;
};

}  // namespace postern
