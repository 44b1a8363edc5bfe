// OneHot: a new axis of size depth, on_value where the index is, off_value elsewhere; an index outside [-depth, depth) is nowhere.
#include "onward/ops/convert.h"
#include "onward/ops/operator.h"

namespace onward::ops {
namespace {

std::vector<int64_t> as_integers(const Tensor& t) {
  std::vector<int64_t> out(size_t(t.size()));
  convert(t.type(), t.raw(), DataType::i64, out.data(), t.size());
  return out;
}

struct OneHot : standard::OneHot {
  void infer(Inference& io) const {
    Dims out = io.dims(0);
    const int64_t at = axis_of(axis, int64_t(out.size()) + 1);
    const Tensor* depth = io.value(1);
    int64_t size = 0;
    if (depth) {
      if (depth->size() != 1) invalid("depth has ", depth->size(), " elements, expected 1");
      size = as_integers(*depth)[0];
      if (size < 0) invalid("depth is ", size);
    } else {
      const auto known = io.sizes(1);
      size = known && known->size() == 1 ? io.size_of((*known)[0]) : io.unknown();
    }
    out.insert(out.begin() + at, size);
    io.output(0, out);
  }

  void run(Call& call) const {
    const Tensor &values = call.tensor(2), &y = call.output(0);
    if (values.size() != 2) invalid("values has ", values.size(), " elements, expected off and on");
    const auto indices = as_integers(call.tensor(0));
    const int64_t at = axis_of(axis, y.rank()), depth = y.dims()[size_t(at)], inner = product(y.dims(), at + 1, y.rank());
    for_type<detail::widths>(detail::width_type(values.type()), [&]<class T>() {
      const T &off = values.data<T>()[0], &on = values.data<T>()[1];
      T* to = y.data<T>();
      std::fill_n(to, y.size(), off);
      for (int64_t i = 0; i < int64_t(indices.size()); ++i) {
        const int64_t index = indices[size_t(i)];
        if (index < -depth || index >= depth) continue;
        to[(i / inner * depth + (index < 0 ? index + depth : index)) * inner + i % inner] = on;
      }
    });
  }
};

}  // namespace

Operators tensor_one_hot() {
  return {define<OneHot>({.examples = {"int64 [0, -1, 5], int64 3, float [0, 1] -> float [[1, 0, 0], [0, 0, 1], [0, 0, 0]]",
                                       "float [1], int32 [2], string [\"off\", \"on\"]; axis=0 -> string [[\"off\"], [\"on\"]]"}})};
}

}  // namespace onward::ops
