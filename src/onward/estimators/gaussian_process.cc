// Gaussian processes: the mean is a sum of covariances with the training data, the variance what they leave of the prior one.
#include <cmath>

#include "onward/estimators/gaussian_process_kernel.h"
#include "onward/estimators/winner.h"
#include "onward/graph/elementary_functions.h"

namespace onward {
namespace {

// K·L⁻ᵀ of a lower triangular L. Its inverse costs n³ and is worth it only where an output needs it.
Expr solved(Expr k, const Numbers& lower) {
  const int64_t n = lower.dim(0);
  const auto inverse_transposed = [lower, n] {
    std::vector<double> columns(size_t(n * n), 0.0);  // column j of L⁻¹ is row j of its transpose
    for (int64_t j = 0; j < n; ++j) {
      double* x = columns.data() + j * n;
      for (int64_t i = j; i < n; ++i) {
        double rest = i == j ? 1 : 0;
        const double* row = lower.data() + i * n;
        for (int64_t p = j; p < i; ++p) rest -= row[p] * x[p];
        x[i] = rest / row[i];
      }
    }
    return Attributes{{"value", Tensor::of<double>({n, n}, columns)}};
  };
  const std::string same = text("inverse of ", reinterpret_cast<uintptr_t>(lower.data()), " ", n);
  return matmul(k, k.graph->add_large("Constant", {}, inverse_transposed, same, {DataType::f64, {n, n}}, ""));
}

struct GaussianProcessRegressor {
  GaussianProcessKernel kernel;
  Numbers fitted, dual, lower, mean, scale;  // dual: (samples, targets)
  bool several = false;

  void learned(Fields& f) {
    f("X_train_", fitted, {"samples", "features"});
    f("alpha_", dual);
    f("L_", lower, {"samples", "samples"});
    f("_y_train_mean", mean);
    f("_y_train_std", scale);
    if (const auto v = f.get("kernel_")) kernel.learned(f, "kernel_", *v);
    else f.bad("kernel_", "is missing: the estimator is not fitted");
    if (!dual || !mean || !scale) return;
    if (dual.shape().size() == 1) dual = dual.reshaped({dual.size(), 1});
    f.check("alpha_", dual.shape(), {"samples", "targets"});
    if (!f.ok()) return;
    several = dual.dim(1) > 1;
    for (Numbers* each : {&mean, &scale}) {
      *each = each->reshaped({each->size()});
      if (each->size() != 1 && each->size() != dual.dim(1)) f.bad("_y_train_mean", text("has ", each->size(), " items for ", dual.dim(1), " targets"));
    }
  }
  Outputs operator()(Expr x) const {
    const Expr k = kernel(x, fitted), y = scale * matmul(k, dual) + mean;
    Outputs out = regressor(several ? y : reshaped(y, {rows}));
    const Expr v = solved(k, lower);
    const Expr variance = maximum(kernel.diagonal(x) - sum(v * v), 0.0);
    const Numbers square = Numbers::of({dual.dim(1)}, [&](int64_t t) { return std::pow(scale[scale.size() == 1 ? 0 : t], 2); });
    const Expr std = sqrt(variance * square);
    out.std = several ? std : reshaped(std, {rows});
    return out;
  }
};

// One class against another, by Laplace's approximation.
struct BinaryProcess {
  GaussianProcessKernel kernel;
  Numbers fitted, residual, weight, lower;

  void learned(Fields& f, std::string_view name, const plain::Value& v) {
    const auto field = [&](std::string_view what, auto& into, const DimNames& dims) {
      const auto value = v.find(what);
      if (!value) f.bad(text(name, ".", what), "is missing");
      else f.assign(text(name, ".", what), *value, into, dims);
    };
    const std::string samples = text("samples of ", name);
    Array<int64_t> y;
    Numbers p;
    field("X_train_", fitted, {samples, "features"});
    field("y_train_", y, {samples});
    field("pi_", p, {samples});
    field("W_sr_", weight, {samples});
    field("L_", lower, {samples, samples});
    if (const auto k = v.find("kernel_")) kernel.learned(f, text(name, ".kernel_"), *k);
    else f.bad(text(name, ".kernel_"), "is missing");
    if (f.ok()) residual = Numbers::of({y.size(), 1}, [&](int64_t i) { return double(y[i]) - p[i]; });
  }
  Expr latent(Expr x) const { return matmul(kernel(x, fitted), residual); }  // (batch, 1); > 0: the second class
  // The logistic function averaged over the latent Gaussian: a sum of five error functions (Williams and Barber 1998, appendix A).
  Expr probability(Expr x) const {
    constexpr double slopes[] = {0.41, 0.4, 0.37, 0.44, 0.39};
    constexpr double parts[] = {-1854.8214151, 3516.89893646, 221.29346712, 128.12323805, -2010.49422654};
    const Expr k = kernel(x, fitted), mean = matmul(k, residual);
    const Expr v = solved(k * weight, lower), variance = kernel.diagonal(x) - sum(v * v);
    const Expr alpha = 1.0 / (2.0 * variance);
    const Expr height = sqrt(M_PI / alpha), width = 2.0 * sqrt(variance * 2.0 * M_PI);
    std::optional<Expr> total;
    double constant = 0;
    for (size_t i = 0; i < std::size(slopes); ++i) {
      const Expr inner = slopes[i] * mean * sqrt(alpha / (alpha + slopes[i] * slopes[i]));
      const Expr term = parts[i] * (height * erf(inner) / width);
      total = total ? *total + term : term;
      constant += parts[i];
    }
    return *total + 0.5 * constant;
  }
};

struct GaussianProcessClassifier {
  Tensor classes;
  std::vector<BinaryProcess> each;  // one, or one for each class, or one for each pair
  bool pairs = false;
  int version = 0;

  void learned(Fields& f) {
    version = f.version();
    f("classes_", classes, {"classes"});
    f.choice("multi_class", pairs, {{"one_vs_rest", false}, {"one_vs_one", true}});
    const auto base = f.get("base_estimator_");
    if (!base) return f.bad("base_estimator_", "is missing: the estimator is not fitted");
    if (const auto list = base->find("estimators_")) {
      const auto items = f.items_of("estimators_", *list);
      for (size_t i = 0; i < items.size(); ++i) each.emplace_back().learned(f, text("estimators_[", i, "]"), items[i]);
    } else {
      each.emplace_back().learned(f, "base_estimator_", *base);
    }
    const auto n = size_t(classes ? classes.size() : 0), expected = n == 2 ? 1 : pairs ? n * (n - 1) / 2 : n;
    if (f.ok() && (n < 2 || each.size() != expected)) f.bad("base_estimator_", text("has ", each.size(), " estimators for ", n, " classes"));
  }
  Outputs operator()(Expr x) const {
    if (each.size() == 1) {
      const Expr p = each[0].probability(x), second = reshaped(each[0].latent(x), {rows}) > 0.0;
      return classifier(classes, cast(second, DataType::i64), {.predict_proba = concat({1.0 - p, p})});
    }
    return pairs ? one_against_one(x) : one_against_rest(x);
  }

 private:
  Outputs one_against_rest(Expr x) const {
    std::vector<Expr> p;
    for (const BinaryProcess& b : each) p.push_back(b.probability(x));
    const Expr all = concat(p), total = sum(all);
    return classifier(classes, place_of_winner(all, version), {.predict_proba = all / where(equal(total, 0.0), 1.0, total)});
  }
  Outputs one_against_one(Expr x) const {
    const int64_t n = classes.size(), count = int64_t(each.size());
    std::vector<double> first(size_t(count * n), 0.0), second = first;
    for (int64_t i = 0, pair = 0; i < n; ++i)
      for (int64_t j = i + 1; j < n; ++j, ++pair) first[size_t(pair * n + i)] = 1, second[size_t(pair * n + j)] = 1;
    const Numbers is_first({count, n}, first), is_second({count, n}, second);
    std::vector<Expr> latent, p;
    for (const BinaryProcess& b : each) latent.push_back(b.latent(x)), p.push_back(b.probability(x));
    const Expr won = cast(concat(latent) > 0.0, DataType::f64), confidence = concat(p);
    const Expr votes = matmul(1.0 - won, is_first) + matmul(won, is_second);
    const Expr sums = matmul(confidence, is_second) - matmul(confidence, is_first);
    return classifier(classes, argmax(votes + sums / (3.0 * (abs(sums) + 1.0))), {});
  }
};

}  // namespace

Definitions gaussian_process_estimators() {
  return {
      reads<GaussianProcessRegressor>(
          "sklearn.gaussian_process.GaussianProcessRegressor",
          {.cases = {"(ConstantKernel(2.) * RBF([1, 2, 1, 2, 1.]) + WhiteKernel(.5), optimizer=None, normalize_y=True)",
                     "(Matern(2., nu=1.5) * RationalQuadratic(2., 3.) + WhiteKernel(.3), optimizer=None)",
                     "(Matern(2., nu=2.5) + Matern(1., nu=.5) + ExpSineSquared(3., 2.) + WhiteKernel(.5), optimizer=None)",
                     "(Exponentiation(RationalQuadratic(), 2) + DotProduct(.5) ** 2 + 3. + WhiteKernel(5.), optimizer=None)"},
           .data = "clean",
           .tolerance = 1e-11,
           .outputs = "variable std"}),
      // The length that fitting finds makes covariances of 1200 nearly alike: weights of either sign, which cancel.
      reads<GaussianProcessRegressor>("sklearn.gaussian_process.GaussianProcessRegressor",
                                      {.cases = {"(alpha=.1)"}, .data = "clean", .tolerance = 1e-9, .outputs = "variable std"}),
      reads<GaussianProcessRegressor>("sklearn.gaussian_process.GaussianProcessRegressor",
                                      {.cases = {"(alpha=.1, normalize_y=True)"}, .data = "clean", .targets = "several", .tolerance = 1e-9, .outputs = "variable std"}),
      // Error functions times 3500 that cancel.
      reads<GaussianProcessClassifier>("sklearn.gaussian_process.GaussianProcessClassifier",
                                       {.cases = {"(optimizer=None)", "(Matern(2.) * ConstantKernel(3.), optimizer=None, multi_class='one_vs_one')"},
                                        .data = "clean",
                                        .tolerance = 1e-10}),
  };
}

}  // namespace onward
