// Rows of weights stored as codes of 2, 4 or 8 bits with a scale and a zero point for each block of a row; a row is unpacked when asked for.
#pragma once
#include <cstdint>

#include "onward/model/tensor.h"

namespace onward {

struct PackedRows {
  int64_t k, bits, block, blocks;                         // columns; the last block of a row may be shorter
  const uint8_t* codes;                                   // [rows, blocks, block * bits / 8], the low bits of a byte first
  const float* scales;                                    // [rows, blocks]
  const uint8_t* packed_zeros = nullptr;                  // [rows, bytes for `blocks` codes]
  const float* zeros = nullptr;                           // [rows, blocks]; neither: the middle code
  const int32_t* group = nullptr;                         // the block whose scale a column has, where it is not its own

  void operator()(int64_t row, float* to) const;          // (code - zero) * scale
};

// Code i of those that are packed from `bytes` on.
inline int64_t packed_code(const uint8_t* bytes, int64_t i, int64_t bits) { return bytes[i * bits / 8] >> (i * bits % 8) & ((1 << bits) - 1); }

}  // namespace onward
