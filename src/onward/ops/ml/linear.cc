// LinearClassifier, LinearRegressor (ai.onnx.ml): x·coefficientsᵀ + intercepts, in float.
#include "onward/ops/column_scores.h"
#include "onward/ops/lane_scores.h"
#include "onward/ops/matrix_product.h"
#include "onward/ops/mirrored_classes.h"
#include "onward/ops/ml/class_labels.h"
#include "onward/ops/ml/numeric_rows.h"

namespace onward::ops {
namespace {

// Scores of a linear model, of lane_rows rows at a time: score t of row r lies at t * lane_rows + r.
struct Scores {
  std::vector<float> weights, intercepts;                 // weights (columns, targets)
  PackedMatrix<float> packed;
  int64_t columns = 0, targets = 1;

  void prepare(const std::vector<float>& coefficients, const std::vector<float>& given_intercepts, int64_t wanted) {
    targets = wanted;
    if (targets < 1 || int64_t(coefficients.size()) % targets != 0) fail(Code::bad_model, coefficients.size(), " coefficients for ", targets, " targets");
    if (!given_intercepts.empty() && int64_t(given_intercepts.size()) != targets) fail(Code::bad_model, given_intercepts.size(), " intercepts for ", targets, " targets");
    columns = int64_t(coefficients.size()) / targets;
    intercepts = given_intercepts;
    weights.resize(coefficients.size());
    for (int64_t t = 0; t < targets; ++t) for (int64_t c = 0; c < columns; ++c) weights[size_t(c * targets + t)] = coefficients[size_t(t * columns + c)];
    packed = PackedMatrix<float>(weights.data(), columns, targets);
  }
  // take(first row, rows, scores) for all rows, from several threads.
  void run(const Call& call, const Tensor& x, FunctionRef<void(int64_t, int64_t, float*)> take) const {
    const auto [rows, width] = rows_and_columns(x.dims());
    if (width != columns) invalid("the input has ", width, " columns, the coefficients are for ", columns);
    const NumericRows<float> in(call, x);
    call.context.parallel(rows, 2 + 0.1 * double(columns * targets), [&](int64_t begin, int64_t end) {
      const bool narrow = targets <= most_targets && columns <= most_columns && end - begin >= fewest_rows;
      const Tensor held = call.scratch(DataType::f32, {(narrow ? columns : targets) + targets, lane_rows});
      if (narrow) look_ahead(in.data() + begin * columns, std::min(lane_rows, end - begin) * columns);
      float *const at_hand = held.data<float>(), *const scores = at_hand + (narrow ? columns : targets) * lane_rows;
      for (int64_t r = begin; r < end; r += lane_rows) {
        const int64_t n = std::min(lane_rows, end - r);
        const float* from = in.data() + r * columns;
        if (narrow && n == lane_rows) side_by_side(from, at_hand, scores);
        else row_by_row(call, from, n, at_hand, scores, narrow);
        for (size_t t = 0; t < intercepts.size(); ++t) for (int64_t i = 0; i < n; ++i) scores[int64_t(t) * lane_rows + i] += intercepts[t];
        take(r, n, scores);
      }
    });
  }

 private:
  static constexpr int64_t most_targets = 16, most_columns = 256, fewest_rows = lane_rows;

  static void look_ahead(const float* x, int64_t n) {
    for (int64_t i = 0; i < n; i += int64_t(cache_line / sizeof(float))) __builtin_prefetch(x + i);
  }
  void side_by_side(const float* x, float* side, float* scores) const {
    lay_side_by_side(x, columns, side);
    std::fill_n(scores, targets * lane_rows, 0.0f);
    add_products(side, columns, weights.data(), targets, scores);
  }
  void row_by_row(const Call& call, const float* x, int64_t n, float* at_hand, float* scores, bool narrow) const {
    const Tensor own = narrow ? call.scratch(DataType::f32, {n, targets}) : Tensor();
    float* const rows = narrow ? own.data<float>() : at_hand;
    packed.product(x, rows, n);
    for (int64_t t = 0; t < targets; ++t) for (int64_t r = 0; r < n; ++r) scores[t * lane_rows + r] = rows[r * targets + t];
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
    float* const y = call.output(0).data<float>();
    scores.run(call, call.tensor(0), [&](int64_t first, int64_t rows, float* s) {
      post_transform_lanes(s, targets, rows, kind);
      lanes_to_rows(s, targets, rows, y + first * targets);
    });
  }
};

// What a classifier says of the scores of some rows, and how its outputs look.
struct ClassifierAnswers {
  ClassLabels labels;
  PostTransform kind{};
  std::vector<int64_t> numbers;                           // by the place of the largest score, where labels are no texts
  int64_t targets = 1;
  bool second_column = false;                             // one score, two classes

  void prepare(const standard::LinearClassifier& op) {
    kind = post_transform_of(op.post_transform);
    labels = {op.classlabels_ints, op.classlabels_strings};
    labels.check();
    targets = op.intercepts.empty() ? labels.size() : int64_t(op.intercepts.size());
    second_column = targets == 1 && labels.size() == 2;
    for (int64_t k = 0; labels.type() == DataType::i64 && k < std::max<int64_t>(targets, 2); ++k) numbers.push_back(k < labels.size() ? labels.integers[size_t(k)] : k);
  }
  void infer(Inference& io, int64_t rows) const {
    io.output(0, labels.type(), {rows});
    io.output(1, DataType::f32, {rows, second_column ? 2 : targets});
  }
  void write(const Call& call, int64_t first, int64_t rows, float* s) const {
    int32_t which[lane_rows];
    largest_of_lanes(s, targets, rows, which);
    for (int64_t r = 0; r < rows; ++r) {
      if (numbers.empty()) labels.write(which[r], call.output(0), first + r);
      else call.output(0).data<int64_t>()[first + r] = numbers[size_t(which[r])];
    }
    if (!call.wants(1)) return;
    if (second_column) return two_columns_each(s, rows, call.output(1).data<float>() + first * 2);
    post_transform_lanes(s, targets, rows, kind);
    lanes_to_rows(s, targets, rows, call.output(1).data<float>() + first * targets);
  }

 private:
  void two_columns_each(float* s, int64_t rows, float* out) const {
    if (kind == PostTransform::logistic) return logistic_of_both(s, rows, out);
    float both[2 * lane_rows];
    for (int64_t r = 0; r < rows; ++r) both[r] = 1 - s[r], both[lane_rows + r] = s[r];
    post_transform_lanes(both, 2, rows, kind);
    lanes_to_rows(both, 2, rows, out);
  }
};

struct LinearClassifier : standard::LinearClassifier {
  Scores scores;
  ClassifierAnswers answers;

  void prepare(const Preparation&) {
    keep_one_of_mirrored(coefficients, intercepts, std::max(classlabels_ints.size(), classlabels_strings.size()), post_transform);
    answers.prepare(*this);
    scores.prepare(coefficients, intercepts, answers.targets);
  }
  void infer(Inference& io) const { answers.infer(io, rows_and_columns(io.dims(0)).rows); }
  void run(Call& call) const {
    scores.run(call, call.tensor(0), [&](int64_t first, int64_t rows, float* s) { answers.write(call, first, rows, s); });
  }
};

// onward.ClassifierOfColumns: a LinearClassifier that reads a model's inputs (column_scores.h). Sessions make it (optimizer/passes).
struct ClassifierOfColumns : standard::LinearClassifier {
  static constexpr Name standard_name{"onward", "ClassifierOfColumns", 1};
  ColumnPlan plan;
  ColumnScores<float> scores;
  ClassifierAnswers answers;

  void read(const Attributes& from) {
    standard::LinearClassifier::read(from);
    plan = ColumnPlan::read(from);
  }
  void prepare(const Preparation&) {
    answers.prepare(*this);
    if (plan.weights.dims()[1] != answers.targets) fail(Code::bad_model, "weights for ", plan.weights.dims()[1], " targets, expected ", answers.targets);
    scores.prepare(std::move(plan));
  }
  void infer(Inference& io) const { answers.infer(io, scores.infer_rows(io)); }
  void run(Call& call) const {
    scores.run(call, [&](int64_t first, int64_t rows, float* s) { answers.write(call, first, rows, s); });
  }
};

}  // namespace

Operators ml_linear() {
  return {define<ClassifierOfColumns>({.tolerance = 1e-6}), define<LinearRegressor>({.examples = {"float [[1, 2]]; coefficients=[3.0, 4.0], intercepts=[0.5] -> float [[11.5]]"}}),
          define<LinearClassifier>({.tolerance = 1e-6, .examples = {"int64 [[1, 2]]; coefficients=[1.0, 0.0, 0.0, 1.0], intercepts=[0.0, 0.5], classlabels_strings=[\"a\", \"b\"] -> string [\"b\"], float [[1, 2.5]]"}})};
}

}  // namespace onward::ops
