// SVMClassifier, SVMRegressor (ai.onnx.ml): kernel values with every support vector, summed as libsvm does. Computed in double from
// the model's floats; ONNX Runtime's rules where the standard is silent. Radial kernels are summed in floats (radial_sums.h) for rows
// where that is accurate and cannot change a decision.
#include <cmath>
#include <cstring>

#include "onward/ops/ml/class_labels.h"
#include "onward/ops/ml/numeric_rows.h"
#include "onward/ops/radial_sums.h"
#include "onward/ops/post_transform.h"
#include "onward/simd/math.h"
#include "onward/simd/targets.h"

namespace onward::ops {
namespace {

enum class KernelType { linear, poly, rbf, sigmoid };

// Of one row with 16 vectors side by side, whose elements stand together: each sum runs over the columns in order. Not unrolled, the lanes
// become vectors.
constexpr int64_t together = 16;
struct KernelSums {
  [[gnu::always_inline]] static void run(const double* x, const float* support, int64_t columns, int64_t blocks, bool squares, double* out) {
    for (; blocks-- > 0; out += together) {
      double sum[together] = {};
      for (int64_t i = 0; i < columns; ++i, support += together) {
        const double xi = x[i];
        if (squares)
#pragma GCC unroll 1
          for (int64_t k = 0; k < together; ++k) sum[k] += (xi - support[k]) * (xi - support[k]);
        else
#pragma GCC unroll 1
          for (int64_t k = 0; k < together; ++k) sum[k] += xi * support[k];
      }
      std::memcpy(out, sum, sizeof sum);
    }
  }
};
struct Exponentials {
  [[gnu::always_inline]] static void run(double* x, int64_t n, double factor) {
    for (int64_t i = 0; i < n; ++i) x[i] = simd::exp(factor * x[i]);
  }
};

struct Kernel {
  KernelType type = KernelType::linear;
  double gamma = 0, coef0 = 0, degree = 0;
  int64_t columns = 0, vectors = 0;
  std::vector<float> support;                             // [block][column][vector of the block], zeros behind the last vector

  void prepare(const std::string& name, const std::vector<float>& params, const std::vector<float>& vectors_flat, int64_t count) {
    constexpr std::string_view names[] = {"LINEAR", "POLY", "RBF", "SIGMOID"};
    const auto it = std::find(std::begin(names), std::end(names), name);
    if (it == std::end(names)) fail(Code::bad_model, "kernel_type is '", name, "', expected LINEAR, POLY, RBF or SIGMOID");
    type = KernelType(it - std::begin(names));
    if (!params.empty() && params.size() != 3) fail(Code::bad_model, "kernel_params has ", params.size(), " elements, expected gamma, coef0 and degree");
    if (params.size() == 3) gamma = params[0], coef0 = params[1], degree = params[2];
    if (count < 1 || int64_t(vectors_flat.size()) % count != 0) fail(Code::bad_model, vectors_flat.size(), " numbers for ", count, " support vectors");
    vectors = count, columns = int64_t(vectors_flat.size()) / count;
    support.assign(size_t(padded() * columns), 0);
    for (int64_t v = 0; v < vectors; ++v)
      for (int64_t i = 0; i < columns; ++i) support[size_t((v / together * columns + i) * together + v % together)] = vectors_flat[size_t(v * columns + i)];
  }
  int64_t padded() const { return (vectors + together - 1) / together * together; }
  // Null for other kernels.
  RadialSums radial(const std::vector<float>& vectors_flat, std::span<const int64_t> counts, const std::vector<float>& weights, int64_t sets) const {
    return type == KernelType::rbf ? RadialSums({vectors_flat.data(), columns, counts, weights.data(), sets}, gamma) : RadialSums();
  }
  // Of a row and every vector; `out` has room for padded().
  void values(const double* x, double* out) const {
    simd::Compiled<KernelSums, const double*, const float*, int64_t, int64_t, bool, double*>::best(x, support.data(), columns, padded() / together, type == KernelType::rbf, out);
    if (type == KernelType::rbf) simd::Compiled<Exponentials, double*, int64_t, double>::best(out, vectors, -gamma);
    if (type == KernelType::poly) for (int64_t v = 0; v < vectors; ++v) out[v] = std::pow(gamma * out[v] + coef0, degree);
    if (type == KernelType::sigmoid) for (int64_t v = 0; v < vectors; ++v) out[v] = std::tanh(gamma * out[v] + coef0);
  }
};

// body(begin, end) over rows, those whose radial sums are made together in one chunk.
template <class F> void over_rows(const RunContext& context, int64_t rows, const Kernel& kernel, bool radial, F&& body) {
  const int64_t unit = radial ? RadialSums::together : 1;
  const double nanoseconds = (radial ? 0.05 : 1.0) * double(kernel.vectors * kernel.columns);
  context.parallel((rows + unit - 1) / unit, nanoseconds * double(unit), [&](int64_t begin, int64_t end) { body(begin * unit, std::min(rows, end * unit)); });
}

// The input's rows as double, checked for width.
const double* checked(const NumericRows<double>& rows, int64_t width, int64_t expected) {
  if (width != expected) invalid("the input has ", width, " columns, the support vectors ", expected);
  return rows.data();
}

struct SVMRegressor : standard::SVMRegressor {
  Kernel kernel;
  RadialSums radial;
  bool linear = false;
  PostTransform kind{};

  void prepare(const Preparation&) {
    kind = post_transform_of(post_transform);
    linear = n_supports == 0;
    if (rho.empty()) fail(Code::bad_model, "rho is empty");
    kernel.prepare(kernel_type, kernel_params, linear ? coefficients : support_vectors, linear ? 1 : n_supports);
    if (!linear && int64_t(coefficients.size()) != n_supports) fail(Code::bad_model, coefficients.size(), " coefficients for ", n_supports, " support vectors");
    if (!linear) radial = kernel.radial(support_vectors, std::span(&n_supports, 1), coefficients, 1);
  }
  void infer(Inference& io) const { io.output(0, DataType::f32, {rows_and_columns(io.dims(0)).rows, 1}); }
  void run(Call& call) const {
    const auto [rows, width] = rows_and_columns(call.tensor(0).dims());
    const NumericRows<double> in(call, call.tensor(0));
    const double* x = checked(in, width, kernel.columns);
    float* y = call.output(0).data<float>();
    over_rows(call.context, rows, kernel, bool(radial), [&, width = width](int64_t begin, int64_t end) {
      std::vector<double> sums(RadialSums::together), errors(RadialSums::together), values;
      for (int64_t r = begin; r < end; ++r) {
        const auto i = size_t((r - begin) % RadialSums::together);
        if (radial && i == 0) radial.run(x + r * width, std::min(end - r, RadialSums::together), sums.data(), errors.data());
        const bool good = radial && (one_class ? std::fabs(sums[i] + rho[0]) > errors[i] * radial.magnitude(sums[i], 0, 0) : std::isfinite(errors[i]));
        const double sum = (good ? sums[i] : summed(x + r * width, values)) + rho[0];
        y[r] = float(one_class ? (sum > 0 ? 1 : -1) : sum);
        onward::post_transform(std::span<float>(y + r, 1), kind);
      }
    });
  }

 private:
  double summed(const double* x, std::vector<double>& values) const {
    values.resize(size_t(kernel.padded()));
    kernel.values(x, values.data());
    double sum = 0;
    for (int64_t v = 0; v < kernel.vectors; ++v) sum += linear ? values[size_t(v)] : coefficients[size_t(v)] * values[size_t(v)];
    return sum;
  }
};

struct SVMClassifier : standard::SVMClassifier {
  Kernel kernel;
  RadialSums radial;
  ClassLabels labels;
  PostTransform kind{};
  bool linear = false;
  int64_t classes = 0;
  std::vector<int64_t> first;                             // support vector of each class

  void prepare(const Preparation&) {
    kind = post_transform_of(post_transform);
    labels = {classlabels_ints, classlabels_strings};
    labels.check();
    linear = vectors_per_class.empty();
    int64_t vectors = 0;
    for (int64_t n : vectors_per_class) {
      if (n < 0 || n > 1 << 30) fail(Code::bad_model, "vectors_per_class has ", n);
      first.push_back(vectors);
      vectors += n;
    }
    classes = linear ? labels.size() : int64_t(vectors_per_class.size());
    if (linear) prepare_linear();
    else prepare_pairs(vectors);
  }
  void infer(Inference& io) const {
    const int64_t rows = rows_and_columns(io.dims(0)).rows;
    io.output(0, labels.type(), {rows});
    io.output(1, DataType::f32, {rows, score_columns()});
  }
  void run(Call& call) const {
    const auto [rows, width] = rows_and_columns(call.tensor(0).dims());
    const NumericRows<double> in(call, call.tensor(0));
    const double* x = checked(in, width, kernel.columns);
    const Tensor held = call.wants(1) ? call.output(1) : call.scratch(DataType::f32, {rows, score_columns()});
    over_rows(call.context, rows, kernel, bool(radial), [&, width = width](int64_t begin, int64_t end) {
      const int64_t of_row = radial ? (classes - 1) * classes : 0;
      std::vector<double> sums(size_t(RadialSums::together * of_row)), errors(RadialSums::together), values, decisions(size_t(linear ? 0 : pairs()));
      for (int64_t r = begin; r < end; ++r) {
        const int64_t i = (r - begin) % RadialSums::together;
        if (radial && i == 0) radial.run(x + r * width, std::min(end - r, RadialSums::together), sums.data(), errors.data());
        float* const out = held.data<float>() + r * score_columns();
        const bool good = radial && decided(sums.data() + i * of_row, errors[size_t(i)], decisions);
        if (!good) values.resize(size_t(kernel.padded())), kernel.values(x + r * width, values.data());
        if (!good && !linear) decide(values, decisions);
        labels.write(linear ? linear_row(values, out) : row(decisions, out), call.output(0), r);
      }
    });
  }

 private:
  int64_t pairs() const { return classes * (classes - 1) / 2; }
  int64_t score_columns() const { return linear || !prob_a.empty() ? classes : classes > 2 ? pairs() : 2; }

  void prepare_linear() {
    if (int64_t(coefficients.size()) % classes != 0) fail(Code::bad_model, coefficients.size(), " coefficients for ", classes, " classes");
    if (rho.empty()) fail(Code::bad_model, "rho is empty");
    kernel.prepare("LINEAR", {}, coefficients, classes);
    if (kernel_type != "LINEAR") kernel.prepare(kernel_type, kernel_params, coefficients, classes);
  }
  void prepare_pairs(int64_t vectors) {
    if (classes < 2) fail(Code::bad_model, "vectors_per_class names ", classes, " classes, expected 2 or more");
    if (classes > labels.size() && labels.size() != 2) fail(Code::bad_model, labels.size(), " labels for ", classes, " classes");
    kernel.prepare(kernel_type, kernel_params, support_vectors, vectors);
    if (int64_t(coefficients.size()) != (classes - 1) * vectors) fail(Code::bad_model, coefficients.size(), " coefficients for ", vectors, " support vectors and ", classes, " classes");
    if (int64_t(rho.size()) < pairs()) fail(Code::bad_model, rho.size(), " values of rho for ", pairs(), " pairs of classes");
    if (prob_a.size() != prob_b.size() || (!prob_a.empty() && int64_t(prob_a.size()) < pairs())) fail(Code::bad_model, prob_a.size(), " and ", prob_b.size(), " probability parameters for ", pairs(), " pairs of classes");
    radial = kernel.radial(support_vectors, vectors_per_class, coefficients, classes - 1);
  }

  // Scores of a row that has these kernel values; returns the class.
  int64_t linear_row(const std::vector<double>& values, float* out) const {
    for (int64_t c = 0; c < classes; ++c) out[c] = float(values[size_t(c)] + rho[0]);
    const int64_t best = std::max_element(out, out + classes) - out;
    onward::post_transform(std::span<float>(out, size_t(classes)), kind);
    return best;
  }
  // The same of a row that has these decisions between pairs of classes.
  int64_t row(const std::vector<double>& decisions, float* out) const {
    std::vector<int64_t> votes(static_cast<size_t>(classes));
    for (int64_t i = 0, p = 0; i < classes; ++i)
      for (int64_t j = i + 1; j < classes; ++j, ++p) ++votes[size_t(decisions[size_t(p)] > 0 ? i : j)];
    const int64_t voted = std::max_element(votes.begin(), votes.end()) - votes.begin();
    if (!prob_a.empty()) return probabilities(decisions, out), voted;      // the label stays that of the votes, as in libsvm and ONNX Runtime
    if (classes > 2) {
      std::copy(decisions.begin(), decisions.end(), out);
      onward::post_transform(std::span<float>(out, decisions.size()), kind);
      return voted;
    }
    // One decision for two classes becomes two columns; a positive one speaks for the first class and stands in the second column, as in
    // ONNX Runtime and the reference evaluator.
    const auto d = float(decisions[0]);
    out[0] = -d, out[1] = d;
    onward::post_transform(std::span<float>(out, 2), kind);
    return voted;
  }
  void decide(const std::vector<double>& values, std::vector<double>& decisions) const {
    for (int64_t i = 0, p = 0; i < classes; ++i)
      for (int64_t j = i + 1; j < classes; ++j, ++p) {
        double sum = 0;
        const auto add = [&](int64_t of, int64_t row) {
          for (int64_t v = first[size_t(of)]; v < first[size_t(of)] + vectors_per_class[size_t(of)]; ++v) sum += coefficients[size_t(row * kernel.vectors + v)] * values[size_t(v)];
        };
        add(i, j - 1), add(j, i);
        decisions[size_t(p)] = sum + rho[size_t(p)];
      }
  }
  // From sums [set][class]; false where one of them could be on the other side of 0.
  bool decided(const double* sums, double error, std::vector<double>& decisions) const {
    for (int64_t i = 0, p = 0; i < classes; ++i)
      for (int64_t j = i + 1; j < classes; ++j, ++p) {
        const double of_i = sums[(j - 1) * classes + i], of_j = sums[i * classes + j], decision = of_i + of_j + rho[size_t(p)];
        if (!(std::fabs(decision) > error * (radial.magnitude(of_i, j - 1, i) + radial.magnitude(of_j, i, j)))) return false;
        decisions[size_t(p)] = decision;
      }
    return true;
  }
  void probabilities(const std::vector<double>& decisions, float* out) const {
    const auto n = size_t(classes);
    std::vector<std::vector<double>> r(n, std::vector<double>(n));
    for (size_t i = 0, p = 0; i < n; ++i)
      for (size_t j = i + 1; j < n; ++j, ++p) {
        const double f = decisions[p] * prob_a[p] + prob_b[p], v = f >= 0 ? std::exp(-f) / (1 + std::exp(-f)) : 1 / (1 + std::exp(f));
        r[i][j] = std::clamp(v, 1e-7, 1 - 1e-7), r[j][i] = 1 - r[i][j];
      }
    const std::vector<double> p = coupled(r);
    std::copy(p.begin(), p.end(), out);
  }
  // Wu, Lin, Weng: Probability Estimates for Multi-class Classification by Pairwise Coupling (2004), algorithm 2.
  static std::vector<double> coupled(const std::vector<std::vector<double>>& r) {
    const size_t n = r.size();
    std::vector<std::vector<double>> q(n, std::vector<double>(n));
    std::vector<double> p(n, 1.0 / double(n)), qp(n);
    for (size_t t = 0; t < n; ++t)
      for (size_t j = 0; j < n; ++j) {
        if (j == t) continue;
        q[t][t] += r[j][t] * r[j][t];
        q[t][j] = -r[j][t] * r[t][j];
      }
    const double enough = 0.005 / double(n);
    for (size_t round = 0; round < std::max<size_t>(100, n); ++round) {
      double pqp = 0, worst = 0;
      for (size_t t = 0; t < n; ++t) {
        qp[t] = 0;
        for (size_t j = 0; j < n; ++j) qp[t] += q[t][j] * p[j];
        pqp += p[t] * qp[t];
      }
      for (size_t t = 0; t < n; ++t) worst = std::max(worst, std::fabs(qp[t] - pqp));
      if (worst < enough) break;
      for (size_t t = 0; t < n; ++t) {
        const double change = (pqp - qp[t]) / q[t][t];
        p[t] += change;
        pqp = (pqp + change * (change * q[t][t] + 2 * qp[t])) / (1 + change) / (1 + change);
        for (size_t j = 0; j < n; ++j) qp[j] = (qp[j] + change * q[t][j]) / (1 + change), p[j] /= 1 + change;
      }
    }
    return p;
  }
};

}  // namespace

Operators ml_svm() {
  return {define<SVMRegressor>({.examples = {"float [[1, 2]]; coefficients=[0.5, -1.0], support_vectors=[1.0, 1.0, 2.0, 0.0], n_supports=2, rho=[0.25], kernel_type=\"LINEAR\" -> float [[-0.25]]"}}),
          define<SVMClassifier>({.examples = {"float [[1, 2]]; coefficients=[1.0, -1.0], support_vectors=[1.0, 1.0, 2.0, 0.0], vectors_per_class=[1, 1], rho=[0.5], classlabels_ints=[7, 9] -> int64 [7], float [[-1.5, 1.5]]"}})};
}

}  // namespace onward::ops
