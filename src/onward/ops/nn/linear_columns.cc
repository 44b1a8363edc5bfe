// onward.ProductOfColumns and onward.LogisticOfColumns: linear models that read a model's inputs (column_scores.h). Sessions make them of
// what lies between the inputs and MatMul, and of the answer of a logistic regression of two classes (optimizer/passes).
#include "onward/ops/column_scores.h"
#include "onward/simd/math.h"
#include "onward/simd/targets.h"

namespace onward::ops {
namespace {

// Scores in the weights' type; F is called with the one that there is.
struct AnyScores {
  ColumnPlan plan;
  ColumnScores<float> floats;
  ColumnScores<double> doubles;
  DataType type = DataType::none;

  void read(const Attributes& from) { plan = ColumnPlan::read(from), type = plan.weights.type(); }
  void prepare() {
    if (type == DataType::f32) floats.prepare(std::move(plan));
    else doubles.prepare(std::move(plan));
  }
  template <class F> auto with(F&& f) const { return type == DataType::f32 ? f(floats, float()) : f(doubles, double()); }
};

// The sums, [rows, targets].
struct ProductOfColumns {
  static constexpr Name standard_name{"onward", "ProductOfColumns", 1};
  AnyScores scores;

  void read(const Attributes& from) { scores.read(from); }
  void prepare(const Preparation&) { scores.prepare(); }
  void infer(Inference& io) const {
    scores.with([&](const auto& s, auto) { io.output(0, scores.type, {s.infer_rows(io), s.targets()}); });
  }
  void run(Call& call) const {
    scores.with([&]<class T>(const ColumnScores<T>& s, T) {
      T* const y = call.output(0).data<T>();
      const int64_t targets = s.targets();
      s.run(call, [&](int64_t first, int64_t rows, T* sums) {
        for (int64_t r = 0; r < rows; ++r) for (int64_t t = 0; t < targets; ++t) y[(first + r) * targets + t] = sums[t * lane_rows + r];
      });
    });
  }
};

// y = [1 - p, p] of p = 1 / (1 + e^-s).
template <class T> struct LogisticBody {
  [[gnu::always_inline]] static void run(const T* s, int64_t rows, T* y) {
    T p[lane_rows];
    for (int64_t r = 0; r < rows; ++r) p[r] = 1 / (1 + simd::exp(-s[r]));
    for (int64_t r = 0; r < rows; ++r) y[2 * r] = 1 - p[r], y[2 * r + 1] = p[r];
  }
};

// labels: of a score that is not above 0, and of one that is.
struct LogisticOfColumns {
  static constexpr Name standard_name{"onward", "LogisticOfColumns", 1};
  AnyScores scores;
  Tensor labels;

  void read(const Attributes& from) { scores.read(from), from.read("labels", labels); }
  void prepare(const Preparation&) {
    if (scores.plan.weights.dims()[1] != 1 || labels.size() != 2 || !contains(i64 | str, labels.type())) invalid("expected one score and two labels");
    scores.prepare();
  }
  void infer(Inference& io) const {
    const int64_t rows = scores.with([&](const auto& s, auto) { return s.infer_rows(io); });
    io.output(0, labels.type(), {rows});
    io.output(1, scores.type, {rows, 2});
  }
  void run(Call& call) const {
    scores.with([&]<class T>(const ColumnScores<T>& s, T) {
      s.run(call, [&](int64_t first, int64_t rows, T* sums) {
        if (labels.type() == DataType::i64) write_labels<int64_t>(call, sums, first, rows);
        else write_labels<std::string>(call, sums, first, rows);
        if (call.wants(1)) simd::Compiled<LogisticBody<T>, const T*, int64_t, T*>::best(sums, rows, call.output(1).data<T>() + first * 2);
      });
    });
  }

 private:
  template <class L, class T> void write_labels(const Call& call, const T* s, int64_t first, int64_t rows) const {
    L* const to = call.output(0).data<L>() + first;
    const L* const from = labels.data<L>();
    for (int64_t r = 0; r < rows; ++r) to[r] = from[s[r] > 0];
  }
};

}  // namespace

Operators nn_linear_columns() { return {define<ProductOfColumns>({.tolerance = 1e-6}), define<LogisticOfColumns>({.tolerance = 1e-6})}; }

}  // namespace onward::ops
