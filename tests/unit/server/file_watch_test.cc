#include "server/file_watch.h"

#include <stdlib.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

namespace postern {
namespace {

namespace fs = std::filesystem;

struct Folder {
  Folder() {
    char name[] = "/tmp/postern-watch-XXXXXX";
    path = mkdtemp(name);
  }
  ~Folder() { fs::remove_all(path); }
  std::string Put(const std::string& name, const std::string& text) const {
    std::ofstream(path / name) << text;
    return path / name;
  }
  fs::path path;
};

// The look that sees a change, and the one after it that tells of it.
bool ChangedWithinTwoLooks(FileWatch& watch) {
  CHECK_FALSE(watch.Changed());
  return watch.Changed();
}

TEST_CASE("a file that stays as it is never changes") {
  const Folder folder;
  FileWatch watch;
  watch.Watch({folder.Put("key.pem", "a")});
  CHECK_FALSE(ChangedWithinTwoLooks(watch));
}

TEST_CASE("a renewal by rename is seen once") {
  const Folder folder;
  FileWatch watch;
  watch.Watch({folder.Put("key.pem", "a")});
  fs::rename(folder.Put("key.pem.new", "b"), folder.path / "key.pem");
  CHECK(ChangedWithinTwoLooks(watch));
  CHECK_FALSE(ChangedWithinTwoLooks(watch));
}

TEST_CASE("a link to a folder that points elsewhere is seen") {
  const Folder folder;
  fs::create_directory(folder.path / "1");
  fs::create_directory(folder.path / "2");
  folder.Put("1/key.pem", "a");
  folder.Put("2/key.pem", "b");
  fs::create_directory_symlink("1", folder.path / "live");
  FileWatch watch;
  watch.Watch({folder.path / "live" / "key.pem"});
  fs::create_directory_symlink("2", folder.path / "next");
  fs::rename(folder.path / "next", folder.path / "live");
  CHECK(ChangedWithinTwoLooks(watch));
}

TEST_CASE("while files still change nothing is told") {
  const Folder folder;
  const std::string chain = folder.Put("chain.pem", "a");
  const std::string key = folder.Put("key.pem", "a");
  FileWatch watch;
  watch.Watch({chain, key});
  folder.Put("chain.pem", "longer");
  CHECK_FALSE(watch.Changed());
  folder.Put("key.pem", "longer too");
  CHECK_FALSE(watch.Changed());
  CHECK(watch.Changed());
}

}  // namespace
}  // namespace postern
