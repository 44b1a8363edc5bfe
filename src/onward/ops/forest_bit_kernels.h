// One row's codes against the nodes of many trees side by side, a tree in each lane: the inner loops of LeafBits.
#pragma once
#include <cstddef>
#include <cstdint>

namespace onward {

struct LeafBitKernels {
  // codes: of the row, 256 of them, aligned to 64 bytes. nodes: for each node of the trees `lanes` planes, then `lanes` codes; a test
  // fails where the row's code of its plane is above its own. stay: see below. leaf: of each tree, the number of the leaf reached.
  using Kernel = void (*)(const uint8_t* codes, const uint8_t* nodes, const uint8_t* stay, int count, uint8_t* leaf);
  Kernel levels;                         // count: tests of a tree
  Kernel full;                           // count: its levels; node j's children are 2j + 1 and 2j + 2
  Kernel leaves32, leaves64;             // count: its nodes; `stay` has the leaves of which each leaves some when its test fails
  size_t lanes;
  // How `stay` lies: a word of 32 or 64 bits for each lane, or the words' lowest bytes of all lanes, then their next ones.
  bool by_bytes;
  // Nanoseconds, roughly: a node of all lanes; what a node costs more for each 32 leaves; a tree's sum.
  double node_cost, word_cost, tree_cost;
};

// For rows of so many planes; null where the processor has no registers that hold them.
const LeafBitKernels* leaf_bit_kernels(size_t planes);

}  // namespace onward
