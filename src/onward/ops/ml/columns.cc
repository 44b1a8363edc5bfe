// ArrayFeatureExtractor, FeatureVectorizer, Binarizer, Scaler, Imputer, Normalizer (ai.onnx.ml): simple work on the columns of a matrix.
#include <cmath>

#include "onward/ops/activation/softmax.h"
#include "onward/ops/ml/numeric_rows.h"

namespace onward::ops {
namespace {

struct ArrayFeatureExtractor : standard::ArrayFeatureExtractor {
  void infer(Inference& io) const {
    Dims out = io.dims(0);
    if (out.empty()) invalid("expected an input with at least one axis");
    if (out.size() == 1) out.insert(out.begin(), 1);      // the standard makes a row of a vector
    out.back() = io.product(io.dims(1));
    io.output(0, out);
  }
  template <class T> void run(In<T> x, In<int64_t> which, Out<T> y) const {
    const int64_t width = x.dims.back(), rows = width ? x.size / width : 0;
    for (int64_t i : which) if (i < 0 || i >= width) invalid("index ", i, " is outside ", width, " columns");
    T* to = y.data;
    for (int64_t r = 0; r < rows; ++r) for (int64_t i : which) *to++ = x[r * width + i];
  }
};

struct Binarizer : standard::Binarizer {
  void infer(Inference& io) const { io.output(0, io.dims(0)); }
  template <class T> void run(In<T> x, Out<T> y) const {
    for (int64_t i = 0; i < x.size; ++i) y[i] = T(x[i] > T(threshold) ? 1 : 0);
  }
};

struct FeatureVectorizer : standard::FeatureVectorizer {
  void infer(Inference& io) const {
    int64_t width = 0, rows = 1;
    for (size_t i = 0; i < io.inputs.size(); ++i) {
      const auto [r, c] = rows_and_columns(io.dims(i));
      if (i > 0 && r != rows && !is_symbol(r) && !is_symbol(rows)) invalid("input ", i, " has ", r, " rows, the ones before ", rows);
      rows = r, width = io.add(width, i < inputdimensions.size() ? inputdimensions[i] : c);
    }
    for (int64_t d : inputdimensions) if (d < 0) invalid("inputdimensions has ", d);
    io.output(0, DataType::f32, {rows, width});
  }
  void run(Call& call) const {
    const Tensor& y = call.output(0);
    const int64_t rows = y.dims()[0], width = y.dims()[1];
    int64_t at = 0;
    for (size_t i = 0; i < call.inputs.size(); ++i) {
      const Tensor& x = call.tensor(i);
      const NumericRows<float> in(call, x);
      const int64_t columns = rows_and_columns(x.dims()).columns, taken = i < inputdimensions.size() ? inputdimensions[i] : columns;
      const int64_t copied = std::min(columns, taken);    // a narrower input is padded with zeros, a wider one cut
      for (int64_t r = 0; r < rows; ++r) {
        float* const to = y.data<float>() + r * width + at;
        std::copy_n(in.data() + r * columns, copied, to);
        std::fill(to + copied, to + taken, 0.0f);
      }
      at += taken;
    }
  }
};

struct Scaler : standard::Scaler {
  void infer(Inference& io) const { io.output(0, DataType::f32, io.dims(0)); }
  void run(Call& call) const {
    const Tensor &x = call.tensor(0), &y = call.output(0);
    const int64_t width = x.dims().empty() ? 1 : x.dims().back();
    for (const auto* list : {&offset, &scale})
      if (list->size() > 1 && int64_t(list->size()) != width) invalid("offset or scale has ", list->size(), " elements for ", width, " columns");
    const NumericRows<float> in(call, x);
    const auto of = [](const std::vector<float>& list, int64_t column, float otherwise) { return list.empty() ? otherwise : list[list.size() == 1 ? 0 : size_t(column)]; };
    for (int64_t i = 0; i < x.size(); ++i) y.data<float>()[i] = (in.data()[i] - of(offset, i % width, 0)) * of(scale, i % width, 1);
  }
};

struct Imputer : standard::Imputer {
  void infer(Inference& io) const { io.output(0, io.dims(0)); }
  template <class T> void run(In<T> x, Out<T> y) const {
    constexpr bool real = std::is_floating_point_v<T>;
    const int64_t width = x.dims.empty() ? 1 : x.dims.back();
    const auto list = [&] { if constexpr (real) return std::span<const float>(imputed_value_floats); else return std::span<const int64_t>(imputed_value_int64s); }();
    if (list.empty()) invalid("has no imputed values for ", name_of(type_of<T>));
    if (list.size() != 1 && int64_t(list.size()) != width) invalid(list.size(), " imputed values for ", width, " columns");
    const T missing = real ? T(replaced_value_float) : T(replaced_value_int64);
    for (int64_t i = 0; i < x.size; ++i) {
      const bool replace = missing != missing ? x[i] != x[i] : x[i] == missing;
      y[i] = replace ? T(list[list.size() == 1 ? 0 : size_t(i % width)]) : x[i];
    }
  }
};

struct SizeBody {
  [[gnu::always_inline]] static void run(const float* x, int64_t n, bool squares, float* size) {
    if (squares) *size = std::sqrt(FoldBody<TotalFold, float>::line(n, [=](int64_t i) __attribute__((always_inline)) { return x[i] * x[i]; }));
    else *size = FoldBody<TotalFold, float>::line(n, [=](int64_t i) __attribute__((always_inline)) { return std::fabs(x[i]); });
  }
};
struct DivideBody {
  [[gnu::always_inline]] static void run(const float* x, int64_t n, float by, float* y) {
    for (int64_t i = 0; i < n; ++i) y[i] = x[i] / by;
  }
};

struct Normalizer : standard::Normalizer {
  void prepare(const Preparation&) const {
    if (norm != "MAX" && norm != "L1" && norm != "L2") fail(Code::bad_model, "norm is '", norm, "', expected MAX, L1 or L2");
  }
  void infer(Inference& io) const { io.output(0, DataType::f32, io.dims(0)); }
  void run(Call& call) const {
    const Tensor &x = call.tensor(0), &y = call.output(0);
    const auto [rows, columns] = rows_and_columns(x.dims());
    const NumericRows<float> in(call, x);
    for (int64_t r = 0; r < rows; ++r) row(in.data() + r * columns, y.data<float>() + r * columns, columns);
  }

 private:
  void row(const float* x, float* y, int64_t n) const {
    float size = 0;
    if (norm == "MAX") for (int64_t i = 0; i < n; ++i) size = i ? std::max(size, x[i]) : x[i];
    else simd::Compiled<SizeBody, const float*, int64_t, bool, float*>::best(x, n, norm == "L2", &size);
    if (size == 0) size = 1;
    simd::Compiled<DivideBody, const float*, int64_t, float, float*>::best(x, n, size, y);
  }
};

}  // namespace

Operators ml_columns() {
  return {
      define<ArrayFeatureExtractor, ArrayFeatureExtractor::T>({.examples = {"string [[\"a\", \"b\", \"c\"]], int64 [2, 0] -> string [[\"c\", \"a\"]]"}}),
      define<Binarizer, Binarizer::T>({.examples = {"float [0.5, nan, 2]; threshold=1.0 -> float [0, 0, 1]"}}),
      define<FeatureVectorizer>({.examples = {"float [[1], [2]], float [[3, 4], [5, 6]]; inputdimensions=[1, 2] -> float [[1, 3, 4], [2, 5, 6]]"}}),
      define<Scaler>({.examples = {"int64 [[1, 2]]; offset=[1.0, 0.0], scale=[1.0, 3.0] -> float [[0, 6]]"}}),
      define<Imputer, Imputer::T>({.examples = {"float [[nan, 2]]; imputed_value_floats=[7.0, 8.0], replaced_value_float=nan -> float [[7, 2]]", "int64 [[-1, 2]]; imputed_value_int64s=[5], replaced_value_int64=-1 -> int64 [[5, 2]]"}}),
      define<Normalizer>({.examples = {"float [[3, 4], [0, 0]]; norm=\"L2\" -> float [[0.6, 0.8], [0, 0]]"}}),
  };
}

}  // namespace onward::ops
