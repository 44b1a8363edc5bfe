// Trilu, EyeLike: the triangle of matrices above or below a diagonal; ones on a diagonal.
#include "onward/ops/convert.h"
#include "onward/ops/typed.h"

namespace onward::ops {
namespace {

struct Trilu : standard::Trilu {
  void infer(Inference& io) const {
    if (io.dims(0).size() < 2) invalid("expected matrices, found shape ", shown(io.dims(0)));
    io.output(0, io.dims(0));
  }
  template <class T> void run(In<T> x, Integers k, Out<T> y) const {
    if (k.given && k.size() != 1) invalid("k has ", k.size(), " elements, expected 1");
    const int64_t diagonal = k.given ? k[0] : 0, rows = x.dims[x.rank() - 2], columns = x.dims[x.rank() - 1];
    if (x.size == 0) return;
    // The columns of row i from its diagonal on (upper), or up to it; a diagonal far outside is as good as one just outside.
    const int64_t shift = std::clamp(diagonal, -rows, columns);
    for (int64_t row = 0; row < x.size / columns; ++row) {
      const int64_t split = std::clamp(row % rows + shift + (upper ? 0 : 1), int64_t(0), columns);
      const T* from = x.data + row * columns;
      T* to = y.data + row * columns;
      if (upper) std::fill_n(to, split, T{}), std::copy(from + split, from + columns, to + split);
      else std::copy_n(from, split, to), std::fill(to + split, to + columns, T{});
    }
  }
};

struct EyeLike : standard::EyeLike {
  void prepare(const Preparation&) const {
    if (dtype) element_type(*dtype, T2.types);
  }
  void infer(Inference& io) const {
    if (io.dims(0).size() != 2) invalid("expected a matrix, found shape ", shown(io.dims(0)));
    io.output(0, dtype ? DataType(*dtype) : io.inputs[0].type, io.dims(0));
  }
  void run(Call& call) const {
    const Tensor& y = call.output(0);
    const int64_t rows = y.dims()[0], columns = y.dims()[1];
    std::vector<uint8_t> ones(size_t(y.size()));
    for (int64_t i = 0; i < rows; ++i) if (k >= -i && k < columns - i) ones[size_t(i * columns + i + k)] = 1;
    convert(DataType::u8, ones.data(), y.type(), y.raw(), y.size());
  }
};

}  // namespace

Operators tensor_trilu() {
  return {define<Trilu, by_width(Trilu::T)>({.examples = {"float [[1, 2], [3, 4]] -> float [[1, 2], [0, 4]]", "int64 [[1, 2], [3, 4]], int64 -1; upper=0 -> int64 [[0, 0], [3, 0]]"}}),
          define<EyeLike>({.examples = {"int32 [[7, 7, 7], [7, 7, 7]]; k=1, dtype=1 -> float [[0, 1, 0], [0, 0, 1]]", "bool [[false]] -> bool [[true]]"}})};
}

}  // namespace onward::ops
