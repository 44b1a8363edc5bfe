#include "onward/model/few_texts.h"

#include <algorithm>

#include "onward/base/large_pages.h"

namespace onward {

void FewTexts::reserve(size_t n) { reserve_in_large_pages(items_, n); }

bool FewTexts::add(std::string_view text) {
  uint8_t& last = last_[text.size() % 16];
  if (last >= distinct_.size() || distinct_[last] != text) {
    const auto at = size_t(std::find(distinct_.begin(), distinct_.end(), text) - distinct_.begin());
    if (at == 256) return false;
    if (at == distinct_.size()) distinct_.emplace_back(text);
    last = uint8_t(at);
  }
  items_.push_back(last);
  return true;
}

std::vector<std::string> FewTexts::texts() const {
  std::vector<std::string> all;
  all.reserve(size());
  for (const uint8_t i : items_) all.push_back(distinct_[i]);
  return all;
}

}  // namespace onward
