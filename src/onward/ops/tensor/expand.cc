// Expand: the input repeated to the common shape of its own and a given one.
#include "onward/ops/broadcast.h"

namespace onward::ops {
namespace {

struct Expand : standard::Expand {
  void infer(Inference& io) const {
    auto shape = io.sizes(1);
    if (!shape) {
      if (!io.symbols || io.dims(1).size() != 1 || is_symbol(io.dims(1)[0]) || io.dims(1)[0] >= 64) return;
      shape = io.unknown_dims(size_t(io.dims(1)[0]));
    }
    for (int64_t& size : *shape) size = io.size_of(size);
    for (int64_t size : *shape) if (size < 0 && !is_symbol(size)) invalid("a shape with the size ", size);
    io.output(0, broadcast(io.dims(0), *shape, io.symbols));
    if (!io.symbols || !io.inputs[0].sizes || io.inputs[0].sizes->size() != 1) return;
    const int64_t n = io.product(*io.outputs[0].dims);    // one item of a shape, many times
    if (!is_symbol(n) && n <= 64) io.output_sizes(0, Dims(size_t(n), (*io.inputs[0].sizes)[0]));
  }

  template <class T> void run(In<T> x, Integers, Out<T> y) const {
    const std::span<const int64_t> operands[] = {x.dims};
    const Rows rows(y.dims, operands);
    if (y.size) rows.each([&](int64_t at, std::span<const int64_t> from) {
      if (rows.advances(0)) std::copy_n(x.data + from[0], rows.length(), y.data + at);
      else std::fill_n(y.data + at, rows.length(), x[from[0]]);
    });
  }
};

}  // namespace

Operators tensor_expand() {
  return {define<Expand, by_width(Expand::T)>({.examples = {"float [[1], [2]], int64 [2] -> float [[1, 1], [2, 2]]", "string [\"a\", \"b\"], int64 [2, 1] -> string [[\"a\", \"b\"], [\"a\", \"b\"]]"}})};
}

}  // namespace onward::ops
