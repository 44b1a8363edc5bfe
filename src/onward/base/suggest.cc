#include "onward/base/suggest.h"

#include <algorithm>
#include <array>

#include "onward/base/text.h"

namespace onward {

// Names come from files: longer ones are not worth the quadratic work, nor is a search through more of them.
constexpr size_t longest = 64, most_candidates = 20000;

static char lower(char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; }

static size_t edits(std::string_view a, std::string_view b) {
  std::array<std::array<uint8_t, longest + 1>, 3> rows{};
  for (size_t j = 0; j <= b.size(); ++j) rows[0][j] = uint8_t(j);
  for (size_t i = 1; i <= a.size(); ++i) {
    auto &row = rows[i % 3], &above = rows[(i + 2) % 3], &two_above = rows[(i + 1) % 3];
    row[0] = uint8_t(i);
    for (size_t j = 1; j <= b.size(); ++j) {
      const bool same = lower(a[i - 1]) == lower(b[j - 1]);
      row[j] = uint8_t(std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + !same}));
      if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) && lower(a[i - 2]) == lower(b[j - 1])) row[j] = std::min<uint8_t>(row[j], uint8_t(two_above[j - 2] + 1));
    }
  }
  return rows[a.size() % 3][b.size()];
}

std::optional<std::string> nearest(std::string_view word, std::span<const std::string> candidates) {
  if (word.empty() || word.size() > longest) return {};
  const std::string* best = nullptr;
  size_t fewest = std::max<size_t>(1, word.size() / 3) + 1;
  for (const std::string& candidate : candidates.first(std::min(candidates.size(), most_candidates))) {
    const size_t difference = std::max(word.size(), candidate.size()) - std::min(word.size(), candidate.size());
    if (candidate.empty() || candidate.size() > longest || difference >= fewest) continue;
    const size_t n = edits(word, candidate);
    if (n < fewest && n < std::max(word.size(), candidate.size())) fewest = n, best = &candidate;
  }
  return best ? std::optional(*best) : std::nullopt;
}

std::string suggestion(std::string_view word, std::span<const std::string> candidates) {
  const auto found = nearest(word, candidates);
  return found ? text("; did you mean '", *found, "'") : std::string();
}

}  // namespace onward
