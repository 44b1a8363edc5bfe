// Reshape, Flatten, Squeeze, Unsqueeze, Identity: the same elements under another shape; nothing is copied.
#include "onward/ops/operator.h"

namespace onward::ops {
namespace {

// The kernel of all five: inference has found the shape.
template <class Standard> struct SameElements : Standard {
  void run(Call& call) const {
    if (const auto* t = call.inputs[0]->tensor()) call.outputs[0] = t->reshaped(call.output(0).dims());
    else call.outputs[0] = *call.inputs[0];
  }
};

struct Reshape : SameElements<standard::Reshape> {
  void infer(Inference& io) const {
    const Dims& in = io.dims(0);
    const auto shape = io.sizes(1);
    if (!shape) {
      if (io.symbols && io.dims(1).size() == 1 && !is_symbol(io.dims(1)[0]) && io.dims(1)[0] < 64) io.output(0, io.unknown_dims(size_t(io.dims(1)[0])));
      return;
    }
    Dims out = *shape;
    int64_t known = 1, rest = -1;
    for (size_t i = 0; i < out.size(); ++i) {
      if (out[i] == 0 && !allowzero) {
        if (i >= in.size()) invalid("0 copies axis ", i, " of an input of shape ", shown(in));
        out[i] = in[i];
      }
      if (io.may_be_negative(out[i])) return io.output(0, io.unknown_dims(out.size()));        // it may be -1, or 0
      if (out[i] < -1 && !is_symbol(out[i])) invalid("cannot give ", shown(in), " the shape ", shown(*shape), ": a size of ", out[i]);
      if (out[i] != -1) known = io.multiply(known, out[i]);
      else if (rest >= 0) invalid("cannot give ", shown(in), " the shape ", shown(*shape), ": two sizes are -1");
      else rest = int64_t(i);
    }
    const int64_t elements = io.product(in);
    if (rest >= 0) out[size_t(rest)] = elements == 0 || known == 0 ? 0 : io.divide(elements, known);
    const int64_t now = io.product(out);
    if (!is_symbol(now) && !is_symbol(elements) && now != elements) invalid("cannot give ", shown(in), " the shape ", shown(*shape));
    io.output(0, out);
    if (const auto sizes = io.symbols && out.size() <= 1 ? io.sizes(0) : std::nullopt) io.output_sizes(0, *sizes);
  }
};

struct Flatten : SameElements<standard::Flatten> {
  void infer(Inference& io) const {
    const std::span<const int64_t> in = io.dims(0);
    const auto rank = int64_t(in.size()), at = axis < 0 ? axis + rank : axis;
    if (at < 0 || at > rank) invalid("axis ", axis, " is outside rank ", rank);
    io.output(0, {io.product(in.first(size_t(at))), io.product(in.subspan(size_t(at)))});
  }
};

struct Squeeze : SameElements<standard::Squeeze> {
  void infer(Inference& io) const {
    const Dims& in = io.dims(0);
    const auto axes = io.values(1);
    if (io.has(1) && !axes) return;
    if (!axes && std::any_of(in.begin(), in.end(), is_symbol)) return;      // it may be 1
    std::vector<bool> drop(in.size());
    for (size_t i = 0; i < in.size(); ++i) drop[i] = !axes && in[i] == 1;
    if (axes) for (int64_t a : *axes) {
      const auto i = size_t(axis_of(a, int64_t(in.size())));
      if (in[i] != 1 && !is_symbol(in[i])) invalid("axis ", a, " of ", shown(in), " has size ", in[i], ", expected 1");
      drop[i] = true;
    }
    Dims out;
    for (size_t i = 0; i < in.size(); ++i) if (!drop[i]) out.push_back(in[i]);
    io.output(0, out);
    if (const auto sizes = io.symbols ? io.sizes(0) : std::nullopt) io.output_sizes(0, *sizes);
  }
};

struct Unsqueeze : SameElements<standard::Unsqueeze> {
  void infer(Inference& io) const {
    const auto axes = io.values(1);
    if (!axes) return;
    const auto rank = int64_t(io.dims(0).size() + axes->size());
    Dims out(size_t(rank), 0);
    for (int64_t a : *axes) {
      int64_t& size = out[size_t(axis_of(a, rank))];
      if (size == 1) invalid("axis ", a, " is named twice");
      size = 1;
    }
    auto next = io.dims(0).begin();
    for (int64_t& d : out) if (d != 1) d = *next++;
    io.output(0, out);
    if (const auto sizes = io.symbols ? io.sizes(0) : std::nullopt) io.output_sizes(0, *sizes);
  }
};

struct Identity : SameElements<standard::Identity> {
  void infer(Inference& io) const {
    if (!io.has(0) || !io.inputs[0].dims) return io.inputs.empty() ? void() : io.output_fact(0, io.inputs[0]);
    io.output(0, io.dims(0));
    if (const auto sizes = io.symbols ? io.inputs[0].sizes : std::nullopt) io.output_sizes(0, *sizes);
  }
};

}  // namespace

Operators tensor_reshape() {
  return {
      define<Reshape>({.shares_input = true, .examples = {"float [[1, 2], [3, 4]], int64 [-1] -> float [1, 2, 3, 4]"}}),
      define<Flatten>({.shares_input = true, .examples = {"int8 [[[1, 2]], [[3, 4]]]; axis=1 -> int8 [[1, 2], [3, 4]]"}}),
      define<Squeeze>({.shares_input = true, .examples = {"string [[\"a\"]], int64 [0] -> string [\"a\"]"}}),
      define<Unsqueeze>({.shares_input = true, .examples = {"bool [true], int64 [-1] -> bool [[true]]"}}),
      define<Identity>({.shares_input = true, .examples = {"uint4 [15] -> uint4 [15]"}}),
  };
}

}  // namespace onward::ops
