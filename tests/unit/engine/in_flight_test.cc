// InFlight: in order of arrival, found by tag, taken from anywhere.
#include "postern/engine/in_flight.h"

#include <catch2/catch.hpp>
#include <string>

namespace postern::testing {
namespace {

std::string Tags(InFlight& flight) {
  std::string tags;
  for (CommandRecord* record = flight.front(); record != nullptr; record = record->next.get()) {
    tags += record->tag + " ";
  }
  return tags;
}

TEST_CASE("Commands in flight keep their order") {
  InFlightPool pool;
  InFlight flight(pool);
  CHECK(flight.front() == nullptr);
  CHECK(flight.back() == nullptr);
  for (const char* tag : {"a", "b", "c", "d"}) flight.Add(tag, 1);
  CHECK(Tags(flight) == "a b c d ");
  flight.Remove(*flight.Find("b"));
  CHECK(Tags(flight) == "a c d ");
  flight.Remove(*flight.back());
  CHECK(flight.back()->tag == "c");
  flight.Remove(*flight.front());
  flight.Add("e", 1);
  CHECK(Tags(flight) == "c e ");
  CHECK(flight.size() == 2);
  flight.Clear();
  CHECK(flight.empty());
  CHECK(flight.back() == nullptr);
  flight.Add("f", 1);
  CHECK(flight.front() == flight.back());
}

TEST_CASE("The first of two equal tags is found, and only byte for byte") {
  InFlightPool pool;
  InFlight flight(pool);
  flight.Add("a", 1);
  flight.Add("a", 2);
  CHECK(flight.Find("a")->command == 1);
  CHECK(flight.Find("A") == nullptr);
  flight.Remove(*flight.Find("a"));
  CHECK(flight.Find("a")->command == 2);
}

TEST_CASE("A record that is used again is fresh") {
  InFlightPool pool;
  InFlight flight(pool);
  CommandRecord& record = flight.Add(std::string(100, 'x'), 3);
  record.complete = record.local = record.multiline = record.first_byte_seen = true;
  record.reply = std::string(1000, 'y');
  record.first_byte = record.stall_at_start = std::chrono::seconds(1);
  flight.Remove(record);
  CommandRecord& again = flight.Add("a", 4);
  CHECK(&again == &record);
  CHECK(again.tag == "a");
  CHECK(again.command == 4);
  CHECK_FALSE((again.complete || again.local || again.multiline || again.first_byte_seen));
  CHECK(again.reply.empty());
  CHECK(again.first_byte == Duration{});
  CHECK(again.stall_at_start == Duration{});
  CHECK(again.next == nullptr);
}

TEST_CASE("Many records go back to the pool and the heap") {
  InFlightPool pool;
  for (int round = 0; round < 2; ++round) {
    InFlight flight(pool);
    for (int i = 0; i < 3000; ++i) flight.Add("t" + std::to_string(i), 1);
    CHECK(flight.size() == 3000);
  }
}

}  // namespace
}  // namespace postern::testing
