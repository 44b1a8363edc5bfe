// RotaryEmbedding, MRotaryEmbedding of com.microsoft: as the standard's, but positions may be one offset for all, and the width of a head
// may follow from that of the caches. The second has three streams of positions (time, height, width) that share a head's angles.
#include "onward/ops/contrib.h"
#include "onward/ops/operator.h"
#include "onward/ops/rotate_pairs.h"

namespace onward::ops {
namespace {

// How an input [batch, steps, heads * width] or [batch, heads, steps, width] is read.
struct Form {
  bool four;
  int64_t batch, steps, heads, width, half;

  Form(std::span<const int64_t> x, std::span<const int64_t> cos, std::span<const int64_t> sin, int64_t given_heads, int64_t given_width) : four(x.size() == 4) {
    if (!four && x.size() != 3) invalid("an input of shape ", shown(x), ", expected three or four axes");
    if (cos.size() != 2 || !std::equal(cos.begin(), cos.end(), sin.begin(), sin.end())) invalid("caches of shapes ", shown(cos), " and ", shown(sin));
    half = cos[1], batch = x[0], steps = four ? x[2] : x[1];
    width = four ? x[3] : given_heads ? x[2] / given_heads : 2 * half, heads = four ? x[1] : width ? x[2] / width : 0;
    if (2 * half > width || (!four && heads * width != x[2])) invalid("an input of shape ", shown(x), " for caches of shape ", shown(cos), " and ", given_heads, " heads");
    if (given_width > 0 && given_width != 2 * half) invalid("rotary_embedding_dim is ", given_width, " for caches of shape ", shown(cos));
  }
  // The token that row `row` (in memory order) belongs to.
  int64_t token(int64_t row) const { return row / (heads * steps) * steps + (four ? row % steps : row / heads % steps); }

  // angles(token, cos of `half`, sin of `half`) for every head of every token.
  template <class T, class F> void rotate(const In<T>& x, const Out<T>& y, bool interleaved, F&& angles) const {
    for (int64_t row = 0; row < batch * heads * steps; ++row) {
      const auto [cos, sin] = angles(token(row));
      const T* from = x.data + row * width;
      rotate_pairs(from, y.data + row * width, cos, sin, half, interleaved);
      std::copy(from + 2 * half, from + width, y.data + row * width + 2 * half);
    }
  }
};

template <class Standard> void check_rotary(const Standard& op) {
  const int64_t width = op.rotary_embedding_dim.value_or(0), heads = op.num_heads.value_or(0);
  if (heads < 0) invalid("num_heads is ", heads);
  if (width < 0 || width % 2 != 0) invalid("rotary_embedding_dim is ", width, ", expected an even number");
  if (width > 0 && heads == 0) invalid("rotary_embedding_dim needs num_heads");
}

int64_t checked(int64_t position, int64_t room) {
  if (position < 0 || position >= room) invalid("position ", position, " in a cache of ", room);
  return position;
}

struct RotaryEmbedding : contrib::RotaryEmbedding {
  void prepare(const Preparation&) const { check_rotary(*this); }
  void infer(Inference& io) const { io.output(0, io.dims(0)); }

  template <class T> void run(In<T> x, Integers positions, In<T> cos, In<T> sin, Out<T> y) const {
    const Form form(x.dims, cos.dims, sin.dims, num_heads.value_or(0), rotary_embedding_dim.value_or(0));
    const int64_t tokens = form.batch * form.steps;
    const bool offset = positions.size() == 1 && tokens != 1;
    if (!offset && int64_t(positions.size()) != tokens) invalid(positions.size(), " positions for ", form.batch, " x ", form.steps, " tokens");
    form.rotate(x, y, interleaved.value_or(0) != 0, [&](int64_t token) {
      const int64_t at = checked(offset ? positions[0] + token % form.steps : positions[size_t(token)], cos.dims[0]);
      return std::pair(cos.data + at * form.half, sin.data + at * form.half);
    });
  }
};

struct MRotaryEmbedding : contrib::MRotaryEmbedding {
  void prepare(const Preparation&) const {
    check_rotary(*this);
    if (mrope_section.size() != 3) invalid("mrope_section has ", mrope_section.size(), " items, expected 3");
    for (int64_t section : mrope_section) if (section < 0 || section > int64_t(1) << 30) invalid("a section of ", section);
    if (mrope_layout.value_or(0) != 0 && mrope_layout.value_or(0) != 1) invalid("mrope_layout is ", *mrope_layout, ", expected 0 or 1");
  }
  void infer(Inference& io) const { io.output(0, io.dims(0)); }

  template <class T> void run(In<T> x, Integers positions, In<T> cos, In<T> sin, Out<T> y) const {
    const Form form(x.dims, cos.dims, sin.dims, num_heads.value_or(0), rotary_embedding_dim.value_or(0));
    const int64_t tokens = form.batch * form.steps;
    if (int64_t(positions.size()) != 3 * tokens) invalid(positions.size(), " positions for three streams of ", form.batch, " x ", form.steps, " tokens");
    if (mrope_section[0] + mrope_section[1] + mrope_section[2] != form.half) invalid("sections of ", mrope_section[0], ", ", mrope_section[1], " and ", mrope_section[2], " for ", form.half, " angles");
    std::vector<T> c(static_cast<size_t>(form.half)), s(c);
    form.rotate(x, y, interleaved.value_or(0) != 0, [&](int64_t token) {
      for (int64_t i = 0; i < form.half; ++i) {
        const int64_t at = checked(positions[size_t(stream(i) * tokens + token)], cos.dims[0]) * form.half + i;
        c[size_t(i)] = cos[at], s[size_t(i)] = sin[at];
      }
      return std::pair(c.data(), s.data());
    });
  }

 private:
  // Whose position gives angle i: time, height or width; one behind the other, or in turns as long as the last two reach.
  int64_t stream(int64_t i) const {
    if (mrope_layout.value_or(0) == 0) return i < mrope_section[0] ? 0 : i < mrope_section[0] + mrope_section[1] ? 1 : 2;
    const int64_t turn = i % 3;
    return turn != 0 && i < 3 * mrope_section[size_t(turn)] ? turn : 0;
  }
};

}  // namespace

Operators contrib_rotary_embedding() {
  return {define<RotaryEmbedding, computed(RotaryEmbedding::T)>({.tolerance = 1e-6, .examples = {
              "float [[[1, 2], [1, 2]]], int64 [0], float [[1], [0]], float [[0], [1]] -> float [[[1, 2], [-2, 1]]]",
              "float [[[1, 2, 9, 3, 4, 8]]], int64 [[1]], float [[7], [0]], float [[7], [1]]; num_heads=2, rotary_embedding_dim=2 -> float [[[-2, 1, 9, -4, 3, 8]]]"}}),
          define<MRotaryEmbedding, computed(MRotaryEmbedding::T)>({.tolerance = 1e-6, .examples = {
              "float [[[1, 1, 2, 2]]], int64 [[[0]], [[1]], [[1]]], float [[1, 1], [0, 0]], float [[0, 0], [1, 1]]; mrope_section=[1, 1, 0] -> float [[[1, -2, 2, 1]]]"}})};
}

}  // namespace onward::ops
