// Shape, Size: what is known about a tensor's dimensions, as a value.
#include "onward/ops/operator.h"

namespace onward::ops {
namespace {

struct ShapeOf : standard::Shape {
  std::pair<int64_t, int64_t> range(int64_t rank) const {
    const auto bounded = [&](int64_t axis) { return std::clamp(axis < 0 ? axis + rank : axis, int64_t(0), rank); };
    const int64_t from = bounded(start);
    return {from, std::max(from, bounded(end.value_or(rank)))};
  }
  void infer(Inference& io) const {
    const auto [from, to] = range(int64_t(io.dims(0).size()));
    io.output(0, {to - from});
    io.output_sizes(0, Dims(io.dims(0).begin() + from, io.dims(0).begin() + to));
  }
  void run(Call& call) const {
    const Dims& dims = call.tensor(0).dims();
    const auto [from, to] = range(int64_t(dims.size()));
    std::copy(dims.begin() + from, dims.begin() + to, call.output(0).data<int64_t>());
  }
};

struct Size : standard::Size {
  void infer(Inference& io) const {
    io.output(0, {});
    if (io.symbols) io.output_sizes(0, {io.product(io.dims(0))});
  }
  void run(Call& call) const { *call.output(0).data<int64_t>() = call.tensor(0).size(); }
};

}  // namespace

Operators tensor_shape() {
  return {define<ShapeOf>({.examples = {"string [[\"a\", \"b\"]] -> int64 [1, 2]", "float [[1, 2]]; start=-1 -> int64 [2]"}}),
          define<Size>({.examples = {"float [[1, 2]] -> int64 2"}})};
}

}  // namespace onward::ops
