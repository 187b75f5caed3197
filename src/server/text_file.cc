#include "server/text_file.h"

#include <errno.h>
#include <fmt/format.h>
#include <string.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string_view>

namespace postern {
namespace {

constexpr std::size_t kMostText = 16 * 1024 * 1024;

// Without backtracking over more than the last *: linear for all but pathological names.
bool Matches(std::string_view pattern, std::string_view name) {
  if (name.starts_with('.') && !pattern.starts_with('.')) return false;
  std::size_t p = 0;
  std::size_t n = 0;
  std::size_t star = pattern.npos;
  std::size_t star_name = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      star_name = n;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == name[n])) {
      ++p;
      ++n;
    } else if (star != pattern.npos) {
      p = star + 1;
      n = ++star_name;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == pattern.npos;
}

// The names in a folder that match; none where it is no folder.
std::vector<std::string> NamesIn(const std::filesystem::path& folder, std::string_view pattern) {
  std::vector<std::string> names;
  std::error_code error;
  for (std::filesystem::directory_iterator each(folder, error), end; !error && each != end;
       each.increment(error)) {
    std::string name = each->path().filename().string();
    if (Matches(pattern, name)) names.push_back(std::move(name));
  }
  return names;
}

}  // namespace

Result<std::string> ReadTextFile(const std::string& path) {
  const std::unique_ptr<FILE, int (*)(FILE*)> file(fopen(path.c_str(), "rbe"), fclose);
  std::string text;
  bool good = file != nullptr;
  while (good) {
    std::array<char, 16 * 1024> piece;
    const std::size_t size = fread(piece.data(), 1, piece.size(), file.get());
    text.append(piece.data(), size);
    good = ferror(file.get()) == 0;
    if (size == 0) break;
    if (text.size() > kMostText) return Status::Error("cannot be read: larger than 16 MiB");
  }
  if (good) return text;
  return Status::Error(fmt::format("cannot be read: {}", strerror(errno)));
}

bool IsPattern(const std::string& path) { return path.find_first_of("*?") != path.npos; }

std::vector<std::string> ExpandPath(const std::string& path) {
  if (!IsPattern(path)) return {path};
  std::vector<std::filesystem::path> found{std::filesystem::path(path).root_path()};
  for (const std::filesystem::path& part : std::filesystem::path(path).relative_path()) {
    std::vector<std::filesystem::path> next;
    for (const std::filesystem::path& folder : found) {
      if (!IsPattern(part.string())) {
        next.push_back(folder / part);
        continue;
      }
      for (const std::string& name : NamesIn(folder.empty() ? "." : folder, part.string())) {
        next.push_back(folder / name);
      }
    }
    found = std::move(next);
  }
  std::vector<std::string> files;
  for (const std::filesystem::path& each : found) {
    std::error_code error;
    if (std::filesystem::exists(each, error)) files.push_back(each.string());
  }
  return files;
}

}  // namespace postern
