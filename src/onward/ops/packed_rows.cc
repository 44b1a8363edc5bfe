#include "onward/ops/packed_rows.h"

#include <algorithm>
#include <cstring>

#include "onward/simd/targets.h"

namespace onward {
namespace {

constexpr int64_t lanes = 16;

template <int64_t bits> [[gnu::always_inline]] inline float zero_of(const PackedRows& w, int64_t row, int64_t b) {
  if (w.zeros) return w.zeros[row * w.blocks + b];
  if (!w.packed_zeros) return float(1 << (bits - 1));
  return float(packed_code(w.packed_zeros + row * ((w.blocks * bits + 7) / 8), b, bits));
}

typedef float Floats __attribute__((vector_size(64)));
typedef int32_t Ints __attribute__((vector_size(64)));

// 16 codes at a time; the rest of a block, which may end inside a byte's neighbours, one by one.
template <int64_t bits> struct UnpackRow {
  [[gnu::always_inline]] static void run(const PackedRows* rows, int64_t row, float* to) {
    const PackedRows& w = *rows;
    const uint8_t* codes = w.codes + row * w.blocks * (w.block * bits / 8);
    for (int64_t b = 0; b < w.blocks; ++b, to += w.block, codes += w.block * bits / 8) {
      const int64_t n = std::min(w.block, w.k - b * w.block);
      const float scale = w.group ? 1 : w.scales[row * w.blocks + b], zero = w.group ? 0 : zero_of<bits>(w, row, b);
      int64_t i = 0;
      for (; i + lanes <= n; i += lanes) put(codes + i * bits / 8, zero, scale, to + i);
      for (; i < n; ++i) to[i] = (float(packed_code(codes, i, bits)) - zero) * scale;
    }
    if (w.group) regroup(w, row, to - w.blocks * w.block);
  }

 private:
  // Words of 32 bits are spread over the lanes and shifted: what GCC makes vectors of on every target.
  [[gnu::always_inline]] static void nibbles(const uint8_t* codes, Floats& out) {
    int32_t word[2];
    std::memcpy(word, codes, sizeof word);
    constexpr Ints shifts = {0, 4, 8, 12, 16, 20, 24, 28, 0, 4, 8, 12, 16, 20, 24, 28}, first = {-1, -1, -1, -1, -1, -1, -1, -1};
    out = __builtin_convertvector((((Ints{} + word[0]) & first) | ((Ints{} + word[1]) & ~first)) >> shifts & 15, Floats);
  }
  [[gnu::always_inline]] static void whole(const uint8_t* codes, Floats& out) {
    int32_t word[4];
    std::memcpy(word, codes, sizeof word);
    constexpr Ints shifts = {0, 8, 16, 24, 0, 8, 16, 24, 0, 8, 16, 24, 0, 8, 16, 24}, a = {-1, -1, -1, -1}, b = {0, 0, 0, 0, -1, -1, -1, -1}, c = {0, 0, 0, 0, 0, 0, 0, 0, -1, -1, -1, -1};
    const Ints spread = ((Ints{} + word[0]) & a) | ((Ints{} + word[1]) & b) | ((Ints{} + word[2]) & c) | ((Ints{} + word[3]) & ~(a | b | c));
    out = __builtin_convertvector(spread >> shifts & 255, Floats);
  }
  [[gnu::always_inline]] static void quarters(const uint8_t* codes, Floats& out) {
    int32_t word;
    std::memcpy(&word, codes, sizeof word);
    constexpr Ints shifts = {0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30};
    out = __builtin_convertvector((Ints{} + word) >> shifts & 3, Floats);
  }
  [[gnu::always_inline]] static void put(const uint8_t* codes, float zero, float scale, float* to) {
    Floats real;
    if constexpr (bits == 2) quarters(codes, real);
    else if constexpr (bits == 4) nibbles(codes, real);
    else whole(codes, real);
    real = (real - zero) * scale;
    std::memcpy(to, &real, sizeof real);
  }
  static void regroup(const PackedRows& w, int64_t row, float* to) {
    for (int64_t i = 0; i < w.k; ++i) to[i] = (to[i] - zero_of<bits>(w, row, w.group[i])) * w.scales[row * w.blocks + w.group[i]];
  }
};

}  // namespace

void PackedRows::operator()(int64_t row, float* to) const {
  const auto unpack = bits == 2 ? simd::Compiled<UnpackRow<2>, const PackedRows*, int64_t, float*>::best
                    : bits == 4 ? simd::Compiled<UnpackRow<4>, const PackedRows*, int64_t, float*>::best
                                : simd::Compiled<UnpackRow<8>, const PackedRows*, int64_t, float*>::best;
  unpack(this, row, to);
}

}  // namespace onward
