// What the stub backend says: one dialect object per connection, fed with the client's bytes.
//
// Owned by the stub's connection; one thread. Pure apart from the Answers it is given. Believes
// every user and keeps no mailbox: message sizes come from the command itself, so that a workload
// is one line in `workloads.py`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace postern {

// Where a dialect puts its answers, in order. Bulk is message text of whole 64-octet lines.
class Answers {
 public:
  virtual void Text(std::string_view text) = 0;
  virtual void Bulk(uint64_t octets) = 0;
  virtual void Close() = 0;  // once all of the above is sent

 protected:
  ~Answers() = default;
};

class Dialect {
 public:
  virtual ~Dialect() = default;
  virtual void Greet(Answers& answers) = 0;
  // Takes all of `bytes`; a command that is not complete yet is kept.
  virtual void Feed(std::string_view bytes, Answers& answers) = 0;
};

std::unique_ptr<Dialect> MakeImapDialect();
std::unique_ptr<Dialect> MakePop3Dialect(uint64_t messages, uint64_t octets_each);
// nginx asks an HTTP service where a user's mailbox is; this one names the stub's own ports.
std::unique_ptr<Dialect> MakeAuthHttpDialect(uint16_t imap_port, uint16_t pop3_port);

// Cuts bytes into lines that end in CRLF (the CRLF is left out); keeps an unfinished one.
class LineCutter {
 public:
  // True and the next line, valid until the next call, or false when `bytes` is used up.
  bool Next(std::string_view& bytes, std::string_view& line);

 private:
  std::string kept_;
  bool kept_used_ = false;
};

std::string UpperCase(std::string_view text);
uint64_t NumberAt(std::string_view text);  // leading digits; 0 when there are none

}  // namespace postern
