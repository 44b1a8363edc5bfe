// RotaryEmbedding: pairs of elements of every head rotated by the angle of the token's position.
#include "onward/ops/operator.h"
#include "onward/ops/rotate_pairs.h"

namespace onward::ops {
namespace {

struct RotaryEmbedding : standard::RotaryEmbedding {
  void prepare(const Preparation&) const {
    if (num_heads && *num_heads < 0) invalid("num_heads is ", *num_heads);
    if (rotary_embedding_dim < 0 || rotary_embedding_dim % 2 != 0) invalid("rotary_embedding_dim is ", rotary_embedding_dim, ", expected an even number");
  }
  void infer(Inference& io) const { io.output(0, io.dims(0)); }

  template <class T> void run(In<T> x, In<T> cos, In<T> sin, Integers positions, Out<T> y) const {
    const bool four = x.rank() == 4;
    if (!four && (x.rank() != 3 || !num_heads || *num_heads < 1 || x.dims[2] % *num_heads != 0)) invalid("an input of shape ", shown(x.dims), " with ", num_heads.value_or(0), " heads");
    const int64_t batch = x.dims[0], steps = four ? x.dims[2] : x.dims[1], heads = four ? x.dims[1] : *num_heads;
    const int64_t width = four ? x.dims[3] : x.dims[2] / heads, rotated = rotary_embedding_dim ? rotary_embedding_dim : width, half = rotated / 2;
    if (rotated > width || rotated % 2 != 0) invalid("cannot rotate ", rotated, " of ", width, " elements");
    check_caches(cos.dims, sin.dims, positions, batch, steps, half);
    for (int64_t row = 0; row < batch * heads * steps; ++row) {      // in memory order
      const int64_t b = row / (heads * steps), t = four ? row % steps : row / heads % steps, token = b * steps + t;
      const int64_t at = positions.given ? positions[size_t(token)] : token;
      if (positions.given && (at < 0 || at >= cos.dims[0])) invalid("position ", at, " in a cache of ", cos.dims[0]);
      const T *from = x.data + row * width, *c = cos.data + at * half, *s = sin.data + at * half;
      rotate_pairs(from, y.data + row * width, c, s, half, interleaved != 0);
      std::copy(from + rotated, from + width, y.data + row * width + rotated);
    }
  }

 private:
  static void check_caches(std::span<const int64_t> cos, std::span<const int64_t> sin, const Integers& positions, int64_t batch, int64_t steps, int64_t half) {
    const bool same = std::equal(cos.begin(), cos.end(), sin.begin(), sin.end());
    const bool fits = positions.given ? cos.size() == 2 && cos[1] == half && int64_t(positions.size()) == batch * steps : Dims(cos) == Dims{batch, steps, half};
    if (!same || !fits) invalid("caches of shapes ", shown(cos), " and ", shown(sin), " for ", batch, " x ", steps, " tokens and ", half, " angles");
  }
};

}  // namespace

Operators attention_rotary_embedding() {
  return {define<RotaryEmbedding, computed(RotaryEmbedding::T)>({.examples = {
      "float [[[[1, 2]]]], float [[[0]]], float [[[1]]] -> float [[[[-2, 1]]]]", "float [[[1, 2, 9]]], float [[7], [0]], float [[7], [1]], int64 [[1]]; num_heads=1, rotary_embedding_dim=2 -> float [[[-2, 1, 9]]]"}})};
}

}  // namespace onward::ops
