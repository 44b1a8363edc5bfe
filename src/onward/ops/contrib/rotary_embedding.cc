// RotaryEmbedding of com.microsoft: as the standard's, but positions may be one offset for all, and the width of a head may follow from
// that of the caches.
#include "onward/ops/contrib.h"
#include "onward/ops/operator.h"
#include "onward/ops/rotate_pairs.h"

namespace onward::ops {
namespace {

struct RotaryEmbedding : contrib::RotaryEmbedding {
  void prepare(const Preparation&) const {
    if (num_heads.value_or(0) < 0) invalid("num_heads is ", *num_heads);
    if (rotary_embedding_dim.value_or(0) < 0 || rotary_embedding_dim.value_or(0) % 2 != 0) invalid("rotary_embedding_dim is ", *rotary_embedding_dim, ", expected an even number");
    if (rotary_embedding_dim.value_or(0) > 0 && num_heads.value_or(0) == 0) invalid("rotary_embedding_dim needs num_heads");
  }
  void infer(Inference& io) const { io.output(0, io.dims(0)); }

  template <class T> void run(In<T> x, Integers positions, In<T> cos, In<T> sin, Out<T> y) const {
    const bool four = x.rank() == 4;
    if (!four && x.rank() != 3) invalid("an input of shape ", shown(x.dims), ", expected three or four axes");
    if (cos.rank() != 2 || !std::equal(cos.dims.begin(), cos.dims.end(), sin.dims.begin(), sin.dims.end())) invalid("caches of shapes ", shown(cos.dims), " and ", shown(sin.dims));
    const int64_t half = cos.dims[1], batch = x.dims[0], steps = four ? x.dims[2] : x.dims[1], given = num_heads.value_or(0);
    const int64_t width = four ? x.dims[3] : given ? x.dims[2] / given : 2 * half, heads = four ? x.dims[1] : width ? x.dims[2] / width : 0;
    if (2 * half > width || (!four && heads * width != x.dims[2])) invalid("an input of shape ", shown(x.dims), " for caches of shape ", shown(cos.dims), " and ", given, " heads");
    if (rotary_embedding_dim.value_or(0) > 0 && *rotary_embedding_dim != 2 * half) invalid("rotary_embedding_dim is ", *rotary_embedding_dim, " for caches of shape ", shown(cos.dims));
    const bool offset = positions.size() == 1 && batch * steps != 1;
    if (!offset && int64_t(positions.size()) != batch * steps) invalid(positions.size(), " positions for ", batch, " x ", steps, " tokens");
    for (int64_t row = 0; row < batch * heads * steps; ++row) {      // in memory order
      const int64_t b = row / (heads * steps), t = four ? row % steps : row / heads % steps;
      const int64_t at = offset ? positions[0] + t : positions[size_t(b * steps + t)];
      if (at < 0 || at >= cos.dims[0]) invalid("position ", at, " in a cache of ", cos.dims[0]);
      const T* from = x.data + row * width;
      rotate_pairs(from, y.data + row * width, cos.data + at * half, sin.data + at * half, half, interleaved.value_or(0) != 0);
      std::copy(from + 2 * half, from + width, y.data + row * width + 2 * half);
    }
  }
};

}  // namespace

Operators contrib_rotary_embedding() {
  return {define<RotaryEmbedding, computed(RotaryEmbedding::T)>({.tolerance = 1e-6, .examples = {
      "float [[[1, 2], [1, 2]]], int64 [0], float [[1], [0]], float [[0], [1]] -> float [[[1, 2], [-2, 1]]]",
      "float [[[1, 2, 9, 3, 4, 8]]], int64 [[1]], float [[7], [0]], float [[7], [1]]; num_heads=2, rotary_embedding_dim=2 -> float [[[-2, 1, 9, -4, 3, 8]]]"}})};
}

}  // namespace onward::ops
