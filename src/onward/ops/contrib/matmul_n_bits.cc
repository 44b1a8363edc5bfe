// MatMulNBits, MatMulBnb4: products with weights of 2, 4 or 8 bits that have a scale for every block; they stay packed.
//
// The weights are unpacked to float and the product is taken in float: accuracy_level allows less, and is not used.
#include <array>
#include <cstring>

#include "onward/ops/contrib.h"
#include "onward/ops/matmul.h"
#include "onward/ops/packed_rows.h"
#include "onward/ops/row_product.h"
#include "onward/ops/typed.h"

namespace onward::ops {
namespace {

void check_block_size(int64_t block_size) {
  if (block_size < 16 || block_size > 1 << 28 || (block_size & (block_size - 1)) != 0) fail(Code::bad_model, "block_size is ", block_size, ", expected a power of two from 16 on");
}
void check_sizes(int64_t n, int64_t k) {
  if (n < 1 || k < 1 || n > int64_t(1) << 32 || k > 1 << 28) fail(Code::bad_model, "weights of N = ", n, " by K = ", k);
}

// The last axis of A becomes another.
void infer_product(Inference& io, int64_t from, int64_t to) {
  Dims dims = io.dims(0);
  if (dims.empty() || (!is_symbol(dims.back()) && dims.back() != from)) invalid("expected A with ", from, " columns, found ", shown(dims));
  dims.back() = to;
  io.output(0, dims);
}

struct MatMulNBits : contrib::MatMulNBits {
  int64_t blocks = 0;

  void prepare(const Preparation&) {
    check_block_size(block_size), check_sizes(N, K);
    if (bits != 2 && bits != 4 && bits != 8) fail(Code::bad_model, "bits is ", bits, ", expected 2, 4 or 8");
    if (weight_prepacked != 0) throw Error(Code::unsupported_operator, text("weights packed for one GPU (weight_prepacked = ", weight_prepacked, ")"), "export them with weight_prepacked = 0");
    blocks = (K + block_size - 1) / block_size;
  }
  void infer(Inference& io) const {
    infer_product(io, K, N);
    if (!io.symbols) expect(1, "bytes of weights", count(io.dims(1)), count(io.dims(1)) ? N * blocks * (block_size * bits / 8) : 0);      // none: a projection left out
  }
  void run(Call& call) const {
    const Tensor x = as_type(call, call.tensor(0), DataType::f32), &b = call.tensor(1), &y = call.output(0);
    const Tensor sum = y.type() == DataType::f32 ? y : call.scratch(DataType::f32, y.dims());
    const int64_t rows = x.size() / K;
    if (b.size() == 0) std::fill_n(sum.data<float>(), sum.size(), 0.0f);
    else multiply(call, x.data<float>(), rows, b, sum.data<float>());
    if (call.has(5)) {
      const Tensor bias = as_type(call, call.tensor(5), DataType::f32);
      if (bias.size() != N) invalid("a bias of shape ", shown(bias.dims()), " for ", N, " columns");
      for (int64_t i = 0; i < sum.size(); ++i) sum.data<float>()[i] += bias.data<float>()[i % N];
    }
    store(sum, y);
  }

 private:
  static void expect(size_t i, const char* what, int64_t found, int64_t n) {
    if (found != n) invalid("input ", i, ": expected ", n, " ", what, ", found ", found);
  }
  void multiply(const Call& call, const float* x, int64_t rows, const Tensor& b, float* y) const {
    const Tensor scales = as_type(call, call.tensor(2), DataType::f32);
    if (b.type() != DataType::u8) invalid("expected packed weights of uint8, found ", name_of(b.type()));
    expect(2, "scales", scales.size(), N * blocks);
    PackedRows w{K, bits, block_size, blocks, b.data<uint8_t>(), scales.data<float>()};
    Tensor zeros;
    if (call.has(3) && call.tensor(3).type() == DataType::u8) {
      expect(3, "bytes of zero points", call.tensor(3).size(), N * ((blocks * bits + 7) / 8));
      w.packed_zeros = call.tensor(3).data<uint8_t>();
    } else if (call.has(3)) {
      zeros = as_type(call, call.tensor(3), DataType::f32);
      expect(3, "zero points", zeros.size(), N * blocks);
      w.zeros = zeros.data<float>();
    }
    if (call.has(4) && call.tensor(4).size()) w.group = groups(call.tensor(4));
    row_product(call.context, x, rows, N, K, w, y);
  }
  const int32_t* groups(const Tensor& t) const {
    if (t.type() != DataType::i32 || (t.size() != K && t.size() != blocks * block_size)) invalid("g_idx is ", shown(t), ", expected int32 [", K, "]");
    for (const int32_t g : t.values<int32_t>()) if (g < 0 || g >= blocks) invalid("g_idx has ", g, ", there are ", blocks, " blocks");
    return t.data<int32_t>();
  }
};

// The codes of bitsandbytes: its 4-bit floats, and the quantiles of the normal distribution. The high half of a byte comes first.
constexpr float fp4[16] = {0, 0.005208333f, 0.6666667f, 1, 0.33333334f, 0.5f, 0.16666667f, 0.25f, -0.0f, -0.005208333f, -0.6666667f, -1, -0.33333334f, -0.5f, -0.16666667f, -0.25f};
constexpr float nf4[16] = {-1, -0.6961928f, -0.52507305f, -0.3949175f, -0.28444138f, -0.18477343f, -0.091050036f, 0,
                           0.0795803f, 0.1609302f, 0.2461123f, 0.33791524f, 0.44070983f, 0.562617f, 0.72295684f, 1};

// What the two codes of every byte stand for.
using Pairs = std::array<std::array<float, 2>, 256>;
constexpr Pairs pairs_of(const float (&table)[16]) {
  Pairs out{};
  for (size_t i = 0; i < 256; ++i) out[i] = {table[i >> 4], table[i & 15]};
  return out;
}
constexpr Pairs fp4_pairs = pairs_of(fp4), nf4_pairs = pairs_of(nf4);

struct MatMulBnb4 : contrib::MatMulBnb4 {
  void prepare(const Preparation&) const {
    check_block_size(block_size), check_sizes(N, K);
    if (quant_type != 0 && quant_type != 1) fail(Code::bad_model, "quant_type is ", quant_type, ", expected 0 (FP4) or 1 (NF4)");
  }
  void infer(Inference& io) const {
    infer_product(io, transB ? K : N, transB ? N : K);
    if (!io.symbols && count(io.dims(1)) != (N * K + 1) / 2) invalid("weights of shape ", shown(io.dims(1)), ", expected ", (N * K + 1) / 2, " bytes");
  }
  void run(Call& call) const {
    const Tensor x = as_type(call, call.tensor(0), DataType::f32), &b = call.tensor(1), absmax = as_type(call, call.tensor(2), DataType::f32), &y = call.output(0);
    if (b.type() != DataType::u8) invalid("expected packed weights of uint8, found ", name_of(b.type()));
    if (absmax.size() != (N * K + block_size - 1) / block_size) invalid(absmax.size(), " scales for ", N * K, " weights in blocks of ", block_size);
    const Pairs& pairs = quant_type ? nf4_pairs : fp4_pairs;
    const auto row = [&](int64_t n, float* to) { unpack(b.data<uint8_t>(), absmax.data<float>(), pairs, n * K, K, to); };
    const Tensor sum = y.type() == DataType::f32 ? y : call.scratch(DataType::f32, y.dims());
    if (transB) row_product(call.context, x.data<float>(), x.size() / K, N, K, row, sum.data<float>());
    else {
      const Tensor w = call.scratch(DataType::f32, {N, K});
      for (int64_t n = 0; n < N; ++n) row(n, w.data<float>() + n * K);
      matmul(call.context, MatMulShape(x.dims(), w.dims()), x.data<float>(), w.data<float>(), sum.data<float>());
    }
    store(sum, y);
  }

 private:
  // Codes [first, first + n), block by block: a block has one scale.
  void unpack(const uint8_t* bytes, const float* absmax, const Pairs& pairs, int64_t first, int64_t n, float* to) const {
    for (int64_t at = first, end = first + n; at < end;) {
      const int64_t stop = std::min(end, (at / block_size + 1) * block_size);
      float* const begin = to;
      const float scale = absmax[at / block_size];
      if (at % 2) *to++ = pairs[bytes[at / 2]][1], ++at;
      for (; at + 2 <= stop; at += 2, to += 2) std::memcpy(to, &pairs[bytes[at / 2]], 2 * sizeof(float));
      if (at < stop) *to++ = pairs[bytes[at / 2]][0], ++at;
      for (float* v = begin; v != to; ++v) *v *= scale;
    }
  }
};

}  // namespace

Operators contrib_matmul_n_bits() {
  return {
      define<MatMulNBits>({.tolerance = 1e-5, .examples = {
          "float [[1, 2, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]], uint8 [[[121, 168, 136, 136, 136, 136, 136, 136], [15, 0, 0, 0, 0, 0, 0, 0]]], float [[0.5, 2]]; K=17, N=1, block_size=16 -> float [[13.5]]",
          "float [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1], uint8 [[[228, 228, 228, 228]]], float [[2]], uint8 [[1]], , float [100]; K=16, N=1, block_size=16, bits=2 -> float [116]",
          "float [[2, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]], uint8 [[[255, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]]], float [[1]], float [[0.5]]; K=16, N=1, block_size=16, bits=8 -> float [[510]]"}}),
      define<MatMulBnb4>({.tolerance = 1e-5, .examples = {
          "float [[1, 2]], uint8 [240, 123], float [2]; K=2, N=2, block_size=16, quant_type=1 -> float [[-2, 1.35166096]]",
          "float [[1, 2]], uint8 [51, 181], float [2]; K=2, N=2, block_size=16, quant_type=0, transB=0 -> float [[-2, 4]]"}}),
  };
}

}  // namespace onward::ops
