// LinearClassifier, LinearRegressor (ai.onnx.ml): x·coefficientsᵀ + intercepts, in float.
#include "onward/ops/matrix_product.h"
#include "onward/ops/ml/class_labels.h"
#include "onward/ops/ml/numeric_rows.h"
#include "onward/ops/post_transform.h"

namespace onward::ops {
namespace {

// Scores (rows, targets) of a linear model whose coefficients were laid out (columns, targets).
struct Scores {
  std::vector<float> weights, intercepts;
  int64_t columns = 0, targets = 1;

  void prepare(const std::vector<float>& coefficients, const std::vector<float>& given_intercepts, int64_t wanted) {
    targets = wanted;
    if (targets < 1 || int64_t(coefficients.size()) % targets != 0) fail(Code::bad_model, coefficients.size(), " coefficients for ", targets, " targets");
    if (!given_intercepts.empty() && int64_t(given_intercepts.size()) != targets) fail(Code::bad_model, given_intercepts.size(), " intercepts for ", targets, " targets");
    columns = int64_t(coefficients.size()) / targets;
    intercepts = given_intercepts;
    weights.resize(coefficients.size());
    for (int64_t t = 0; t < targets; ++t) for (int64_t c = 0; c < columns; ++c) weights[size_t(c * targets + t)] = coefficients[size_t(t * columns + c)];
  }
  void run(const Call& call, const Tensor& x, float* out) const {
    const auto [rows, width] = rows_and_columns(x.dims());
    if (width != columns) invalid("the input has ", width, " columns, the coefficients are for ", columns);
    const NumericRows<float> in(call, x);
    call.context.parallel(rows, double(columns * targets), [&](int64_t begin, int64_t end) {
      matrix_product<float>(in.data() + begin * columns, weights.data(), out + begin * targets, end - begin, targets, columns);
      for (int64_t r = begin; r < end; ++r) for (size_t t = 0; t < intercepts.size(); ++t) out[r * targets + int64_t(t)] += intercepts[t];
    });
  }
};

struct LinearRegressor : standard::LinearRegressor {
  Scores scores;
  PostTransform kind{};

  void prepare(const Preparation&) {
    kind = post_transform_of(post_transform);
    scores.prepare(coefficients, intercepts, targets);
  }
  void infer(Inference& io) const { io.output(0, DataType::f32, {rows_and_columns(io.dims(0)).rows, targets}); }
  void run(Call& call) const {
    const Tensor& y = call.output(0);
    scores.run(call, call.tensor(0), y.data<float>());
    for (int64_t r = 0; kind != PostTransform::none && r < y.dims()[0]; ++r) onward::post_transform(std::span<float>(y.data<float>() + r * targets, size_t(targets)), kind);
  }
};

struct LinearClassifier : standard::LinearClassifier {
  Scores scores;
  ClassLabels labels;
  PostTransform kind{};
  bool second_column = false;                             // one score, two classes

  void prepare(const Preparation&) {
    kind = post_transform_of(post_transform);
    labels = {classlabels_ints, classlabels_strings};
    labels.check();
    const auto given = int64_t(std::max<size_t>(intercepts.size(), 1));
    const int64_t targets = intercepts.empty() ? labels.size() : given;
    scores.prepare(coefficients, intercepts, targets);
    second_column = targets == 1 && labels.size() == 2;
  }
  void infer(Inference& io) const {
    const int64_t rows = rows_and_columns(io.dims(0)).rows;
    io.output(0, labels.type(), {rows});
    io.output(1, DataType::f32, {rows, second_column ? 2 : scores.targets});
  }
  void run(Call& call) const {
    const Tensor& x = call.tensor(0);
    const int64_t rows = rows_and_columns(x.dims()).rows, n = scores.targets, width = second_column ? 2 : n;
    const Tensor held = call.scratch(DataType::f32, {rows, n});
    scores.run(call, x, held.data<float>());
    for (int64_t r = 0; r < rows; ++r) {
      float* row = held.data<float>() + r * n;
      labels.write(n == 1 ? int64_t(row[0] > 0) : std::max_element(row, row + n) - row, call.output(0), r);
      if (!call.wants(1)) continue;
      float* out = call.output(1).data<float>() + r * width;
      if (!second_column) {
        std::copy_n(row, n, out);
        onward::post_transform(std::span<float>(out, size_t(n)), kind);
      } else if (kind == PostTransform::logistic) {
        two_columns(row[0], SecondClass::margin, kind, out);
      } else {
        two_columns(row[0], SecondClass::probability, kind, out);
        onward::post_transform(std::span<float>(out, 2), kind);
      }
    }
  }
};

}  // namespace

Operators ml_linear() {
  return {define<LinearRegressor>({.examples = {"float [[1, 2]]; coefficients=[3.0, 4.0], intercepts=[0.5] -> float [[11.5]]"}}),
          define<LinearClassifier>({.tolerance = 1e-6, .examples = {"int64 [[1, 2]]; coefficients=[1.0, 0.0, 0.0, 1.0], intercepts=[0.0, 0.5], classlabels_strings=[\"a\", \"b\"] -> string [\"b\"], float [[1, 2.5]]"}})};
}

}  // namespace onward::ops
