// FileWatch: notices that files were replaced, rewritten, or that a link to them points elsewhere.
// It looks when it is told to: a look is a stat of each file, which sees renames and swapped links
// of any folder on the way, on every file system. Owned by the server; main thread.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <string>
#include <vector>

namespace postern {

class FileWatch {
 public:
  // What is there now counts as known.
  void Watch(std::vector<std::string> files);
  // True once for every change, at the look after the one that saw it: by then both files of a pair
  // were replaced, mostly.
  bool Changed();

 private:
  struct Mark {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    std::int64_t size = -1;  // -1: not there
    std::int64_t modified = 0;
    bool operator==(const Mark&) const = default;
  };
  static Mark MarkOf(const std::string& file);
  std::vector<Mark> MarksNow() const;

  std::vector<std::string> files_;
  std::vector<Mark> known_;
  std::vector<Mark> seen_;
};

}  // namespace postern
