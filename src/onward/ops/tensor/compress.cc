// Compress: the slices along an axis, or the elements of the flattened input, for which a condition holds.
#include "onward/ops/operator.h"

namespace onward::ops {
namespace {

struct Compress : standard::Compress {
  void infer(Inference& io) const {
    Dims out = io.dims(0);
    if (axis) axis_of(*axis, int64_t(out.size()));
    if (!io.symbols) return;            // the kernel allocates
    if (axis) out[size_t(axis_of(*axis, int64_t(out.size())))] = io.unknown();
    else out = {io.unknown()};
    io.output(0, out);
  }
  void run(Call& call) const {
    const Tensor &x = call.tensor(0), &condition = call.tensor(1);
    if (condition.type() != DataType::b8) detail::wrong_type(DataType::b8, condition.type());
    const int64_t at = axis ? axis_of(*axis, x.rank()) : 0, n = axis ? x.dims()[size_t(at)] : x.size();
    const int64_t outer = axis ? product(x.dims(), 0, at) : 1, inner = axis ? product(x.dims(), at + 1, x.rank()) : 1;
    std::vector<int64_t> kept;
    for (int64_t i = 0; i < condition.size(); ++i) if (condition.data<bool>()[i]) kept.push_back(i);
    if (!kept.empty() && kept.back() >= n) invalid("the condition holds at ", kept.back(), ", the axis has ", n, " elements");
    Dims dims{int64_t(kept.size())};
    if (axis) dims = x.dims(), dims[size_t(at)] = int64_t(kept.size());
    const Tensor& y = call.allocate(0, x.type(), dims);
    for_type<detail::widths>(detail::width_type(x.type()), [&]<class E>() {
      E* to = y.data<E>();
      for (int64_t row = 0; row < outer; ++row)
        for (int64_t i : kept) to = std::copy_n(x.data<E>() + (row * n + i) * inner, inner, to);
    });
  }
};

}  // namespace

Operators tensor_compress() {
  return {define<Compress>({.examples = {"float [[1, 2], [3, 4]], bool [false, true, true] -> float [2, 3]", "string [[\"a\", \"b\"]], bool [false, true]; axis=-1 -> string [[\"b\"]]"}})};
}

}  // namespace onward::ops
