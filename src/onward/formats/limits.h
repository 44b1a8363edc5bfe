// How much a file may ask for before it is refused. The defaults let every real model through; a front end lowers or raises them.
#pragma once
#include <cstddef>
#include <cstdint>

namespace onward::formats {

struct Limits {
  size_t memory = size_t{64} << 20;          // bytes for the values (arrays are views of the file), beside ...
  size_t memory_per_byte = 32;               // ... this many for each byte of the file, and
  size_t memory_per_compressed_byte = 256;   // no more than this many for each byte of a compressed one
  size_t decompressed = size_t{256} << 20;   // bytes a compressed file may grow to, beside ...
  size_t decompressed_per_byte = 256;        // ... this many for each of its bytes
  int nesting = 16;                          // pickles inside joblib's object arrays, compressed files inside compressed files
};

// `base` and `per_unit` for each of `units`, but never more than half of the machine's memory.
size_t budget(size_t base, size_t per_unit, uint64_t units);

}  // namespace onward::formats
