// c[m][n] = offset[n] + the sum over k of a[m][k] b[k][n], modulo 2^32: unsigned by signed bytes, exact on every instruction set.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

namespace onward {

// b lies in panels of 16 columns, in each of which four k of a column stand together: [panels][k / 4][16][4], zeros behind its own k and n.
constexpr int64_t panel_columns = 16, k_granule = 64;
inline int64_t padded_k(int64_t k) { return (k + k_granule - 1) / k_granule * k_granule; }

struct CodeOperands {
  const uint8_t* a;                                       // rows of at least padded_k(k) readable bytes, `stride` apart
  int64_t stride;
  const int8_t* b;
  int64_t n, k;
  const int32_t* offset;                                  // of every column of the panels
  int32_t* c;
  int64_t c_stride;
  bool seven_bits = false;                                // no byte of a is above 127: less work where `seven_bits_are_faster`
};

void code_kernel(const CodeOperands& operands, int64_t m);
bool seven_bits_are_faster();

// y[channel] = first[channel] + the sum over taps of window[tap + channel] w[tap][channel]: four taps at a time, of 64 channels.
// Where the processor has no instruction for it, `taps_in_fours` is empty.
constexpr int64_t tap_channels = 64;
std::vector<int8_t> taps_in_fours(const int32_t* w, int64_t taps, int64_t channels);      // empty too where a weight is no signed byte
// The number of `taps` is brought to a multiple of four by repeating any; 64 bytes behind the last channel may be read.
void taps_kernel(const uint8_t* window, std::span<const int64_t> taps, const int8_t* w, const int32_t* first, int64_t channels, int32_t* y);

// As code_kernel, on what a processor without the newest instructions has: 0 plain, 1 AVX2, 2 VNNI, 3 AMX; false where it has not got it.
bool code_kernel_of(int level, const CodeOperands& operands, int64_t m);

}  // namespace onward
