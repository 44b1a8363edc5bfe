// Gather: slices of data along an axis, chosen by indices; negative indices count from the end.
#include "onward/ops/operator.h"

namespace onward::ops {
namespace {

struct Gather : standard::Gather {
  void infer(Inference& io) const {
    Dims out = io.dims(0);
    const int64_t at = axis_of(axis, int64_t(out.size()));
    const Dims& picked = io.dims(1);
    out.erase(out.begin() + at);
    out.insert(out.begin() + at, picked.begin(), picked.end());
    io.output(0, out);
    const auto sizes = io.symbols && io.dims(0).size() == 1 ? io.sizes(0) : std::nullopt;
    const auto where = sizes && picked.size() < 2 ? io.values(1) : std::nullopt;
    if (!where) return;
    Dims found;
    for (int64_t i : *where) {
      if (i < 0) i += int64_t(sizes->size());
      if (i < 0 || i >= int64_t(sizes->size())) return;
      found.push_back((*sizes)[size_t(i)]);
    }
    io.output_sizes(0, found);
  }

  template <class T> void run(In<T> data, Integers indices, Out<T> y) const {
    const int64_t at = axis_of(axis, data.rank()), size = data.dims[at];
    const int64_t outer = product(data.dims, 0, at), inner = product(data.dims, at + 1, data.rank());
    T* to = y.data;
    for (int64_t row = 0; row < outer; ++row)
      for (int64_t index : indices) {
        if (index < -size || index >= size) invalid("index " + std::to_string(index) + " is outside an axis of " + std::to_string(size));
        to = std::copy_n(data.data + (row * size + (index < 0 ? index + size : index)) * inner, inner, to);
      }
  }
};

}  // namespace

Operators tensor_gather() {
  return {define<Gather, by_width(Gather::T)>({.examples = {"string [\"a\", \"b\"], int32 [1, -2] -> string [\"b\", \"a\"]",
                                                            "float [[1, 2], [3, 4]], int64 0; axis=1 -> float [1, 3]"}})};
}

}  // namespace onward::ops
