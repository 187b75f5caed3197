// Names of mailboxes and IMAP URLs made of any bytes. Input: the name.
//
// A violation aborts: the first reading is the name; none is twice or much longer; strings that
// were used before change nothing; the mailbox of a URL is none or is not empty.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "postern/base/check.h"
#include "postern/imap/mailbox.h"

namespace postern::testing {
namespace {

constexpr std::size_t kMostReadings = 16;

void CheckReadings(std::string_view name) {
  std::vector<std::string> fresh;
  const std::size_t count = imap::MailboxReadings(name, fresh);
  POSTERN_CHECK(count >= 1 && count <= kMostReadings && count <= fresh.size());
  POSTERN_CHECK(fresh[0] == name);
  for (std::size_t i = 0; i < count; ++i) {
    POSTERN_CHECK(fresh[i].size() <= 2 * name.size());
    const auto end = fresh.begin() + static_cast<std::ptrdiff_t>(i);
    POSTERN_CHECK(std::find(fresh.begin(), end, fresh[i]) == end);
  }
  std::vector<std::string> used(kMostReadings, "of another name");
  POSTERN_CHECK(imap::MailboxReadings(name, used) == count);
  for (std::size_t i = 0; i < count; ++i) POSTERN_CHECK(used[i] == fresh[i]);
}

}  // namespace
}  // namespace postern::testing

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 4096) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  postern::testing::CheckReadings(bytes);
  const auto mailbox = postern::imap::DecodeUrlMailbox(bytes);
  POSTERN_CHECK(!mailbox || !mailbox->empty());
  return 0;
}
