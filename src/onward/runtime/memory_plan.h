// Where values lie in one block of memory, so that those that live at the same time do not overlap.
#pragma once
#include <cstddef>
#include <map>
#include <set>

namespace onward {

// Gives out offsets in the order of a program's steps and takes them back; neighbouring free ranges join. Offsets are multiples of a
// cache line.
class MemoryPlanner {
 public:
  size_t take(size_t bytes);
  void give_back(size_t offset);
  size_t total() const { return total_; }        // what the block must hold

 private:
  void insert_free(size_t offset, size_t bytes);
  std::map<size_t, size_t> taken_, free_;        // offset -> bytes
  std::set<std::pair<size_t, size_t>> by_size_;  // (bytes, offset) of the free ones
  size_t total_ = 0;
};

}  // namespace onward
