// Many rows against the nodes of one tree, and against its leaves: the inner loops of ReachMasks.
#pragma once
#include <cstdint>

namespace onward {

struct ReachNode {
  uint32_t plane;                        // its rows' codes
  uint16_t slot;                         // whose mask says which rows come here
  uint8_t code;                          // rows above it go to the second child,
  uint8_t leaves;                        // past so many leaves of the first
};

constexpr int most_reach_leaves = 256;   // of a tree
constexpr int leaf_padding = 64;         // so many values may be read behind a tree's first

struct ReachKernels {
  // The number of the leaf that each row reaches, counted from the first branches on. The children of node j are slots 2 j + 1 and 2 j + 2;
  // the nodes from `lowest` on have leaves alone, whose slots nothing reads. symmetric: each node is a level of its tree, and every row
  // comes by. codes: [planes][rows], aligned to 64 bytes.
  using LeafNumbers = void (*)(const ReachNode* nodes, int lowest, int count, bool symmetric, const uint8_t* codes, uint8_t* leaf);
  // scores[r] += values[leaf[r]].
  template <class T> using AddLeaves = void (*)(const uint8_t* leaf, const T* values, int leaves, T* scores);

  int rows;                              // of a call
  LeafNumbers leaf_numbers;
  AddLeaves<float> add_floats;
  AddLeaves<double> add_doubles;

  void add(const uint8_t* leaf, const float* values, int leaves, float* scores) const { add_floats(leaf, values, leaves, scores); }
  void add(const uint8_t* leaf, const double* values, int leaves, double* scores) const { add_doubles(leaf, values, leaves, scores); }
};

// Those for up to 64 rows, and those for as many as registers serve best.
const ReachKernels& few_rows_kernels();
const ReachKernels& many_rows_kernels();

// Of 64 rows: 0 where a category of up to 256 is in the set of these 32 bytes, 255 elsewhere.
void set_plane(const uint8_t* category, const uint8_t* set, uint8_t* out);

}  // namespace onward
