// A table from 64-bit keys to numbers of 0 or more: open addresses in one block of memory, a quarter of them free at least.
#pragma once
#include <bit>
#include <cstdint>
#include <memory>

#include "onward/base/memory.h"

namespace onward {

// Both halves of a product of 128 bits: every bit of x moves many of them.
inline uint64_t mixed_bits(uint64_t x) {
  const unsigned __int128 product = static_cast<unsigned __int128>(x ^ 0x9e3779b97f4a7c15u) * 0xd6e8feb86659fd93u;
  return uint64_t(product) ^ uint64_t(product >> 64);
}

class NumberTable {
 public:
  explicit NumberTable(size_t expected = 0, std::shared_ptr<MemoryBudget> budget = {}) : budget_(std::move(budget)) { make(std::bit_ceil(std::max<size_t>(expected + expected / 2, 16))); }
  size_t size() const { return size_; }

  // The number of a key; -1 of one that is not there.
  int64_t find(uint64_t key) const { return at(key).number; }
  // The number of a key, which becomes `number` if it has none.
  int64_t emplace(uint64_t key, int64_t number) {
    Entry& e = at(key);
    if (e.number >= 0) return e.number;
    e = {key, number};
    if (++size_ > mask_ / 4 * 3) grow();
    return number;
  }

 private:
  struct Entry { uint64_t key; int64_t number; };         // number -1: free

  Entry& at(uint64_t key) const {
    size_t i = mixed_bits(key) & mask_;
    while (entries_[i].number >= 0 && entries_[i].key != key) i = (i + 1) & mask_;
    return entries_[i];
  }
  void make(size_t n) {
    memory_ = allocate(n * sizeof(Entry), budget_);
    entries_ = static_cast<Entry*>(memory_.get()), mask_ = n - 1;
    std::fill_n(entries_, n, Entry{0, -1});
  }
  void grow() {
    const std::shared_ptr<void> before = memory_;         // alive until its entries have moved
    const Entry* const from = entries_;
    const size_t n = mask_ + 1;
    make(2 * n);
    for (size_t i = 0; i < n; ++i) if (from[i].number >= 0) at(from[i].key) = from[i];
  }

  std::shared_ptr<MemoryBudget> budget_;
  std::shared_ptr<void> memory_;
  Entry* entries_ = nullptr;
  size_t mask_ = 0, size_ = 0;
};

// A number by its value: every NaN is one key, and so are both zeros.
template <class T> uint64_t number_key(T x) {
  if constexpr (std::is_floating_point_v<T>) return x != x ? ~uint64_t{0} : std::bit_cast<uint64_t>(double(x) + 0.0);
  else return uint64_t(int64_t(x));
}

}  // namespace onward
