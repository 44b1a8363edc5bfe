// Attention of com.microsoft: queries, keys and values projected from one input by one matrix, with a cache and ONNX Runtime's masks.
#include <cmath>
#include "onward/ops/contrib.h"
#include "onward/ops/contrib_attention.h"
#include "onward/ops/packed_weights.h"

namespace onward::ops {
namespace {

struct Attention : contrib::Attention {
  PackedWeights weights;                                  // where they are constant

  void prepare(const Preparation& at) {
    if (num_heads < 1) invalid("num_heads is ", num_heads, ", expected 1 or more");
    if (do_rotary.value_or(0) != 0) unsupported("do_rotary: ONNX Runtime's own kernel for processors has none");
    if (past_present_share_buffer.value_or(0) != 0) unsupported("past_present_share_buffer");
    if (!qkv_hidden_sizes.empty() && qkv_hidden_sizes.size() != 3) invalid("qkv_hidden_sizes has ", qkv_hidden_sizes.size(), " items, expected 3");
    for (int64_t size : qkv_hidden_sizes) if (size < 1 || size % num_heads != 0) invalid("a hidden size of ", size, " for ", num_heads, " heads");
    if (!qkv_hidden_sizes.empty() && qkv_hidden_sizes[0] != qkv_hidden_sizes[1]) invalid("queries of ", qkv_hidden_sizes[0], " and keys of ", qkv_hidden_sizes[1], " elements");
    if (const Tensor* w = at.input(1)) weights = PackedWeights(*w);
  }

  void infer(Inference& io) const {
    const Dims &x = io.dims(0), &w = io.dims(1);
    if (x.size() != 3 || w.size() != 2) invalid("an input of shape ", shown(x), " and weights of shape ", shown(w), ", expected three and two axes");
    const auto [hidden, v_hidden] = sizes(io, w[1]);
    const bool past = io.has(4);
    if (past && (io.dims(4).size() != 5)) invalid("the past has shape ", shown(io.dims(4)), ", expected five axes");
    if (!io.symbols) {
      if (x[2] != w[0] || 2 * hidden + v_hidden != w[1]) invalid("weights of shape ", shown(w), " for an input of shape ", shown(x));
      if (hidden % num_heads != 0 || v_hidden % num_heads != 0) invalid("hidden sizes of ", hidden, " and ", v_hidden, " for ", num_heads, " heads");
      if (io.has(2) && io.dims(2) != Dims{w[1]}) invalid("a bias of shape ", shown(io.dims(2)), ", expected [", w[1], "]");
      if (past && (io.dims(4)[0] != 2 || io.dims(4)[1] != x[0] || io.dims(4)[2] != num_heads || io.dims(4)[4] * num_heads != hidden || hidden != v_hidden))
        invalid("a past of shape ", shown(io.dims(4)), " for ", num_heads, " heads of ", hidden / num_heads);
    }
    io.output(0, {x[0], x[1], v_hidden});
    io.output(1, {2, x[0], num_heads, past ? io.add(io.dims(4)[3], x[1]) : x[1], io.divide(hidden, num_heads)});
  }

  void run(Call& call) const {
    if (call.tensor(0).type() == DataType::f64) attention<double>(call);
    else attention<float>(call);
  }

 private:
  std::pair<int64_t, int64_t> sizes(Inference& io, int64_t columns) const {
    if (!qkv_hidden_sizes.empty()) return {qkv_hidden_sizes[0], qkv_hidden_sizes[2]};
    if (!is_symbol(columns) && columns % 3 != 0) invalid("weights of ", columns, " columns, expected a multiple of 3 without qkv_hidden_sizes");
    const int64_t each = io.divide(columns, 3);
    return {each, each};
  }

  template <class C> void attention(Call& call) const {
    const Tensor x = as_type(call, call.tensor(0), type_of<C>), w = as_type(call, call.tensor(1), type_of<C>);
    const Tensor bias = call.has(2) ? as_type(call, call.tensor(2), type_of<C>) : Tensor(), past = call.has(4) ? as_type(call, call.tensor(4), type_of<C>) : Tensor();
    const int64_t batch = x.dims()[0], steps = x.dims()[1], inner = x.dims()[2], columns = w.dims()[1], v_hidden = call.output(0).dims()[2], hidden = (columns - v_hidden) / 2;
    const int64_t width = hidden / num_heads, v_width = v_hidden / num_heads, before = past ? past.dims()[3] : 0, total = before + steps;
    const Tensor projected = call.scratch(type_of<C>, {batch, steps, columns});
    std::fill_n(projected.data<C>(), inner ? 0 : projected.size(), C(0));
    if (const PackedMatrix<C>* packed = weights.of<C>(); packed && projected.size()) multiply_rows<C>(call.context, *packed, x.data<C>(), projected.data<C>(), projected.size());
    else if (inner) call.context.parallel(batch * steps, 0.05 * double(inner * columns), [&](int64_t begin, int64_t end) {
      matrix_product<C>(x.data<C>() + begin * inner, w.data<C>(), projected.data<C>() + begin * columns, end - begin, columns, inner);
    });
    const auto part = [&](int64_t first, int64_t each) { return unpacked_heads<C>(call, projected, {num_heads, each, first, each}, bias ? bias.data<C>() + first : nullptr); };
    const auto half = [&](int64_t i) { return past ? Tensor::view(type_of<C>, {batch, num_heads, before, width}, past.data<C>() + i * (past.size() / 2)) : Tensor(); };
    const Tensor q = part(0, width), k = behind_past<C>(call, half(0), before, part(hidden, width), total), v = behind_past<C>(call, half(1), before, part(2 * hidden, v_width), total);
    const KeyMask mask = call.has(3) ? KeyMask(call.tensor(3), batch, steps, total, mask_filter_value.value_or(-10000)) : KeyMask();
    const AddedScores<C> added{call.has(5) ? as_type(call, call.tensor(5), type_of<C>) : Tensor()};
    added.check(batch, num_heads, steps, total);
    const Tensor out = call.scratch(type_of<C>, {batch, num_heads, steps, v_width});
    attend<C>(call.context, {batch, num_heads, num_heads, steps, total, width, v_width, q.data<C>(), k.data<C>(), v.data<C>(), out.data<C>(), C(scale ? double(*scale) : 1 / std::sqrt(double(width)))},
              [&](int64_t b, int64_t h, int64_t i, C* s) {
                mask(b, i, s), added(b, h, i, s, total);
                if (unidirectional) std::fill(s + before + i + 1, s + total, C(-INFINITY));
              },
              [](ScoreStage, int64_t, const C*) {});
    store_merged(out, call.output(0));
    if (!call.wants(1) || !call.outputs[1].tensor()) return;
    if (hidden != v_hidden) unsupported("the present of keys and values of different sizes");
    const Tensor both = call.scratch(type_of<C>, call.output(1).dims());
    std::copy_n(v.data<C>(), v.size(), std::copy_n(k.data<C>(), k.size(), both.data<C>()));
    store(both, call.output(1));
  }
};

}  // namespace

Operators contrib_attention() {
  return {define<Attention>({.tolerance = 1e-5, .examples = {
      "float [[[1], [2]]], float [[0, 1, 1]], float [0, 0, 1]; num_heads=1 -> float [[[2.5], [2.5]]]",
      "float [[[1], [2]]], float [[0, 1, 1]], float [0, 0, 1]; num_heads=1, unidirectional=1 -> float [[[2], [2.5]]], float [[[[[1], [2]]]], [[[[2], [3]]]]]",
      "float [[[1], [2]]], float [[0, 1, 1]], , int32 [1]; num_heads=1 -> float [[[1], [1]]]"}})};
}

}  // namespace onward::ops
