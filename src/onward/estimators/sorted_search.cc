#include "onward/estimators/sorted_search.h"

namespace onward {
namespace {

constexpr int64_t most_items = int64_t{1} << 26;

}  // namespace

// A binary search over all columns at once: each step adds one binary digit to the count.
Expr count_at_most(Expr x, const Numbers& lists) {
  const int64_t columns = lists.dim(0), items = lists.dim(1);
  if (items == 0) return cast(is_nan(x), DataType::i64) * 0.0;
  int64_t width = 1;
  while (width <= items) width *= 2;
  if (columns > most_items / width) fail(Code::limit_size, columns, " lists of ", items, " items are more than can be searched");
  const Numbers padded = Numbers::of(
      {columns * width}, [&](int64_t i) { return i % width < items ? lists[i / width * items + i % width] : __builtin_nan(""); });

  std::optional<Expr> found;
  for (int64_t step = width / 2; step > 0; step /= 2) {
    const auto last_counted = Array<int64_t>::of({columns}, [&](int64_t i) { return i * width + step - 1; });
    const Expr item = found ? pick(padded, *found + last_counted) : x.graph->constant(Numbers::of({columns}, [&](int64_t i) { return padded[last_counted[i]]; }));
    const Expr more = cast(item <= x, DataType::i64) * double(step);
    found = found ? *found + more : more;
  }
  return *found;
}

Numbers side_by_side(const std::vector<Numbers>& lists) {
  int64_t longest = 0;
  for (const Numbers& list : lists) longest = std::max(longest, list.size());
  if (longest && int64_t(lists.size()) > most_items / longest)
    fail(Code::limit_size, lists.size(), " lists of up to ", longest, " items are more than can be searched");
  return Numbers::of({int64_t(lists.size()), longest}, [&](int64_t i) {
    const Numbers& list = lists[size_t(i / longest)];
    return i % longest < list.size() ? list[i % longest] : __builtin_nan("");
  });
}

}  // namespace onward
