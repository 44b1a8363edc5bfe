#include "onward/base/large_pages.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

namespace onward {
namespace {

TEST(LargePages, SmallAndLargeVectorsKeepWhatIsPutIn) {
  for (const size_t n : {size_t{1}, size_t{1000}, (size_t{4} << 20) / 8, (size_t{5} << 20) / 8 + 3}) {
    std::vector<uint64_t, LargePages<uint64_t>> v(n);
    for (size_t i = 0; i < n; ++i) v[i] = i * i;
    v.push_back(7);
    for (size_t i = 0; i < n; ++i) ASSERT_EQ(v[i], i * i);
    EXPECT_EQ(v.back(), 7u);
  }
}

TEST(LargePages, LargeBlocksBeginAPage) {
  void* const p = allocate_in_large_pages(size_t{5} << 20);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(p) % (size_t{2} << 20), 0u);
  std::free(p);
}

TEST(LargePages, ElementsStandWhereTheirTypeWantsThem) {
  struct alignas(64) Line { char bytes[64]; };
  for (const size_t n : {size_t{1}, size_t{3}, size_t{100}, (size_t{4} << 20) / 64 + 1}) {
    const std::vector<Line, LargePages<Line>> lines(n);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(lines.data()) % 64, 0u) << n;
  }
}

TEST(LargePages, MoreThanThereIsIsRefused) {
  EXPECT_THROW(LargePages<uint64_t>().allocate(SIZE_MAX / 4), std::bad_alloc);
}

}  // namespace
}  // namespace onward
