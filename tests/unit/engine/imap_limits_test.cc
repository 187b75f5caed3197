// The bounds of an IMAP session (DESIGN 2.13), and that a relayed frame allocates nothing.
#include <catch2/catch.hpp>
#include <cstdlib>
#include <new>
#include <string>

#include "imap_visit.h"

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define POSTERN_COUNTS_ALLOCATIONS
namespace {
std::size_t allocations = 0;

void* Counted(std::size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
}  // namespace

void* operator new(std::size_t size) { return Counted(size); }
void* operator new[](std::size_t size) { return Counted(size); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }
#endif

namespace postern::testing {
namespace {

TEST_CASE("No more than 64 IMAP commands are in flight") {
  ImapVisit visit;
  visit.LogIn();
  std::string commands, wanted;
  for (int i = 0; i < 70; ++i) {
    commands += "a" + std::to_string(i) + " NOOP\r\n";
    if (i == 63) wanted = commands;
  }
  visit.Client(commands);
  CHECK(visit.ToBackend() == wanted);
  CHECK(visit.engine.client_blocked());
  visit.Backend("a0 OK\r\na1 OK\r\n");
  CHECK(visit.ToBackend() == "a64 NOOP\r\na65 NOOP\r\n");
}

TEST_CASE("Our own words that nobody reads have a limit") {
  ImapVisit visit;
  visit.LogIn();
  visit.Client("a FETCH 1 BODY[]\r\n");
  visit.Backend("* 1 FETCH (BODY[] {10}\r\n01");
  std::string commands;
  for (int i = 0; i < 3000; ++i) commands += "b NOOP\r\nb XFOO\r\n";
  visit.Client(commands);
  // 63 NOOPs are in flight; then the next waits and nothing more is answered.
  CHECK_FALSE(visit.host.end);
  visit.Client("");
  std::string mistakes;
  for (int i = 0; i < 3000; ++i) mistakes += "b XFOO\r\n";
  ImapVisit other;
  other.LogIn();
  other.Client("a FETCH 1 BODY[]\r\n");
  other.Backend("* 1 FETCH (BODY[] {10}\r\n01");
  other.Client("c NOOP\r\n" + mistakes);
  CHECK(other.host.Ended(CloseReason::kClientProtocol, EngineHost::Ending::kAbort));
}

TEST_CASE("An IMAP command head has a limit") {
  ImapVisit visit;
  visit.LogIn();
  visit.Client("a SEARCH TEXT " + std::string(kMaxHead - 16, 'x') + "\r\n");
  CHECK(visit.ToBackend().size() == kMaxHead);
  visit.Client("b SEARCH TEXT " + std::string(kMaxHead - 15, 'x') + "\r\n");
  CHECK(visit.ToBackend().empty());
  CHECK(visit.host.Ended(CloseReason::kClientProtocol));
}

TEST_CASE("Gathered literals together have the limit of a head") {
  ImapVisit visit;
  visit.LogIn();
  visit.Client("a SEARCH");
  for (int i = 0; i < 20 && !visit.host.end; ++i) {
    visit.Client(" TEXT {4096+}\r\n" + std::string(4096, 'x'));
  }
  CHECK(visit.ToBackend().empty());
  CHECK(visit.host.Ended(CloseReason::kClientProtocol));
}

TEST_CASE("A gathered literal over 4 KiB is refused and the session goes on") {
  ImapVisit visit;
  visit.LogIn();
  visit.Client("a CREATE {4097}\r\nb SEARCH TEXT {4097+}\r\n" + std::string(4097, 'x') +
               " TEXT {2+}\r\nhi\r\nc NOOP\r\n");
  CHECK(visit.host.TakeClient() ==
        "a NO [TOOBIG] this literal is longer than is allowed here\r\n"
        "b NO [TOOBIG] this literal is longer than is allowed here\r\n");
  CHECK(visit.ToBackend() == "c NOOP\r\n");
}

#ifdef POSTERN_COUNTS_ALLOCATIONS
TEST_CASE("Relayed NOOPs and pieces of FETCH allocate nothing") {
  ImapVisit visit;
  visit.LogIn();
  visit.host.client.reserve(1 << 22);
  visit.host.backend.reserve(1 << 20);
  const std::string piece(8192, 'x');
  const auto round = [&] {
    visit.client_consumed +=
        visit.engine.OnClientBytes("tag0001 NOOP\r\ntag0002 FETCH 1 BODY[]\r\n");
    visit.engine.OnBackendBytes("* 1 EXISTS\r\ntag0001 OK done\r\n* 1 FETCH (BODY[] {16384}\r\n");
    visit.engine.OnBackendBytes(piece);
    visit.engine.OnBackendBytes(piece);
    visit.engine.OnBackendBytes(" FLAGS (\\Seen))\r\ntag0002 OK [READ-WRITE] done\r\n");
  };
  round();
  const std::size_t before = allocations;
  for (int i = 0; i < 100; ++i) round();
  CHECK(allocations - before == 0);
}
#endif

}  // namespace
}  // namespace postern::testing
