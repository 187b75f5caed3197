// Plays every conversation of this folder, whole and under every split. The format:
// support/transcript.h.
#include <catch2/catch.hpp>
#include <filesystem>
#include <set>
#include <string>

#include "postern/engine/imap_engine.h"
#include "postern/engine/pop3_engine.h"
#include "support/transcript.h"

namespace postern::testing {
namespace {

template <typename E>
std::size_t PlayFolder(const std::string& name, Protocol protocol) {
  std::set<std::string> paths;
  for (const auto& entry :
       std::filesystem::directory_iterator(POSTERN_TESTS_DIR "/transcripts/" + name)) {
    if (entry.path().extension() == ".txt") paths.insert(entry.path().string());
  }
  for (const std::string& path : paths) {
    const std::vector<TranscriptStep> steps = LoadTranscript(path);
    INFO(path);
    CHECK(steps.size() > 2);
    CHECK(PlayUnderEverySplit<E>(steps, protocol) == "");
  }
  return paths.size();
}

TEST_CASE("IMAP transcripts under every split") {
  CHECK(PlayFolder<ImapEngine>("imap", Protocol::kImap) >= 40);
}

TEST_CASE("POP3 transcripts under every split") {
  CHECK(PlayFolder<Pop3Engine>("pop3", Protocol::kPop3) >= 20);
}

}  // namespace
}  // namespace postern::testing
