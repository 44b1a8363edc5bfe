// Split: one tensor cut along an axis, into parts of given sizes, of equal sizes, or (num_outputs) with a smaller last one.
#include "onward/ops/operator.h"

namespace onward::ops {
namespace {

struct Split : standard::Split {
  void prepare(const Preparation& at) const {
    if (num_outputs && *num_outputs != int64_t(at.node.outputs.size())) invalid("num_outputs is ", *num_outputs, ", the node has ", at.node.outputs.size(), " outputs");
  }

  void infer(Inference& io) const {
    Dims part = io.dims(0);
    int64_t& size = part[size_t(axis_of(axis, int64_t(part.size())))];
    const Dims parts = sizes(io, size);
    for (size_t i = 0; i < parts.size(); ++i) size = parts[i], io.output(i, part);
    const auto items = io.symbols && part.size() == 1 ? io.inputs[0].sizes : std::nullopt;
    if (!items) return;
    const int64_t* from = items->begin();                 // of a shape vector, the items
    for (size_t i = 0; i < parts.size() && !is_symbol(parts[i]) && parts[i] <= items->end() - from; from += parts[i++])
      io.output_sizes(i, Dims(from, from + parts[i]));
  }

  void run(Call& call) const {
    const Tensor& x = call.tensor(0);
    for_type<detail::widths>(detail::width_type(x.type()), [&]<class T>() {
      const int64_t at = axis_of(axis, x.rank()), outer = product(x.dims(), 0, at), step = x.size() / std::max(outer, int64_t(1));
      const T* from = x.data<T>();
      for (size_t k = 0; k < call.outputs.size(); ++k) {
        const Tensor& y = call.output(k);
        const int64_t length = y.size() / std::max(outer, int64_t(1));
        for (int64_t row = 0; row < outer; ++row) std::copy_n(from + row * step, length, y.data<T>() + row * length);
        from += length;
      }
    });
  }

 private:
  Dims sizes(Inference& io, int64_t size) const {
    const auto n = int64_t(io.outputs.size());
    if (io.has(1)) {
      const auto given = io.sizes(1);
      if (!given) return io.unknown_dims(io.outputs.size());
      if (int64_t(given->size()) != n) invalid(given->size(), " sizes for ", n, " outputs");
      int64_t total = 0;
      for (int64_t part : *given) {
        if (part < 0 && !is_symbol(part)) invalid("a part of size ", part);
        if (!is_symbol(part) && __builtin_add_overflow(is_symbol(total) ? 0 : total, part, &total)) invalid("parts larger than anything");
        else total = is_symbol(total) || is_symbol(part) ? first_symbol - 1 : total;
      }
      if (!is_symbol(total) && !is_symbol(size) && total != size) invalid("parts of ", total, " in all for an axis of ", size);
      Dims out;
      for (int64_t part : *given) out.push_back(io.size_of(part));
      return out;
    }
    if (is_symbol(size)) {                                // equal parts, or those of num_outputs with what is left over at the end
      Dims out(size_t(n), num_outputs ? io.divide_up(size, n) : io.divide(size, n));
      if (num_outputs && io.multiply(out[0], n) != size)
        for (size_t i = 1; i < out.size(); ++i) out[i] = n == 2 ? io.subtract(size, out[0]) : io.unknown();
      return out;
    }
    if (!num_outputs && size % n != 0) invalid("an axis of ", size, " has no ", n, " equal parts");
    const int64_t part = (size + n - 1) / n;
    Dims out;
    for (int64_t rest = size; int64_t(out.size()) < n; rest -= out.back()) out.push_back(std::min(part, rest));
    return out;
  }
};

}  // namespace

Operators tensor_split() {
  return {define<Split>({.examples = {"float [1, 2, 3, 4, 5], int64 [2, 3] -> float [1, 2], float [3, 4, 5]", "string [[\"a\", \"b\"]]; axis=-1 -> string [[\"a\"]], string [[\"b\"]]",
                                      "int8 [1, 2, 3]; num_outputs=2 -> int8 [1, 2], int8 [3]"}})};
}

}  // namespace onward::ops
