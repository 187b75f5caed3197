#include "server/file_watch.h"

#include <utility>

namespace postern {

void FileWatch::Watch(std::vector<std::string> files) {
  files_ = std::move(files);
  known_ = seen_ = MarksNow();
}

bool FileWatch::Changed() {
  std::vector<Mark> now = MarksNow();
  const bool settled = now == seen_;
  seen_ = std::move(now);
  if (!settled || seen_ == known_) return false;
  known_ = seen_;
  return true;
}

FileWatch::Mark FileWatch::MarkOf(const std::string& file) {
  struct stat facts {};
  if (stat(file.c_str(), &facts) != 0) return {};
  constexpr std::int64_t kNanoseconds = 1'000'000'000;
  return {facts.st_dev, facts.st_ino, facts.st_size,
          facts.st_mtim.tv_sec * kNanoseconds + facts.st_mtim.tv_nsec};
}

std::vector<FileWatch::Mark> FileWatch::MarksNow() const {
  std::vector<Mark> marks;
  for (const std::string& file : files_) marks.push_back(MarkOf(file));
  return marks;
}

}  // namespace postern
