#include "simulation/script.h"

namespace postern::testing {

Duration ShortPause(Random& random) {
  if (random.Chance(60)) return Duration::zero();
  return std::chrono::milliseconds(random.Pick<int>({1, 20, 300, 1000}));
}

std::string ProxyHeader(Random& random) {
  return random.Chance(90) ? "PROXY TCP4 198.51.100.7 192.0.2.1 4711 993\r\n"
                           : "PROXY TCP4 198.51.100.7\r\n";
}

std::string SomeText(Random& random, std::size_t size) {
  static constexpr std::string_view kWords[] = {"a OK done", "* BYE",  "{5}", "{5+}\r\n", "\r\n",
                                                "\r\n.\r\n", "\r\n..", "\r",  "lorem",    " "};
  std::string text;
  text.reserve(size + 16);
  while (text.size() < size) {
    const std::string_view word = kWords[random.Below(std::size(kWords))];
    text.append(word);
    // Mostly filler, so that large texts cost little.
    if (size > 2000) text.append(random.Between(1, 900), 'x');
  }
  text.resize(size);
  return text;
}

}  // namespace postern::testing
