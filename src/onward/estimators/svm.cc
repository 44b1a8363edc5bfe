// Support vector machines: sums over kernels with the support vectors; a vote among pairs of classes.
#include "onward/estimators/pairwise_probabilities.h"
#include "onward/estimators/svm_kernel.h"

namespace onward {

struct SVR {
  SvmKernel kernel;
  Numbers dual, intercept;

  void learned(Fields& f) {
    kernel.learned(f);
    f("_dual_coef_", dual, {"1", "vectors"});
    f("_intercept_", intercept, {"1"});
  }
  Outputs operator()(Expr x) const { return regressor(reshaped(matmul(kernel(x), dual.transposed()) + intercept, {rows})); }
};

struct SVC {
  SvmKernel kernel;
  Tensor classes;
  Numbers dual, intercept;  // (classes - 1, vectors), (pairs): of libsvm's own sign, class 0 positive
  Array<int64_t> counts;    // vectors of each class, which lie one class behind the other
  Numbers slope, offset;    // (pairs): Platt's, where probabilities were asked for
  bool one_against_one = false, break_ties = false;

  void learned(Fields& f) {
    kernel.learned(f);
    f("classes_", classes, {"classes"});
    f("_dual_coef_", dual, {"classes - 1", "vectors"});
    f("_intercept_", intercept, {"pairs"});
    f("_n_support", counts, {"classes"});
    f(f.get("_probA") ? "_probA" : "probA_", slope);
    f(f.get("_probB") ? "_probB" : "probB_", offset);
    f.choice("decision_function_shape", one_against_one, {{"ovr", false}, {"ovo", true}});
    f.since("break_ties", break_ties);  // 0.22
    if (!f.ok()) return;
    const int64_t n = classes.size();
    int64_t vectors = 0;
    for (int64_t c : counts) vectors = c < 0 || c > kernel.vectors.dim(0) ? -1 : vectors + c;
    if (n < 2 || dual.dim(0) != n - 1 || intercept.size() != n * (n - 1) / 2)
      f.bad("_dual_coef_", text("has ", dual.dim(0), " rows and _intercept_ ", intercept.size(), " items for ", n, " classes"));
    if (vectors != kernel.vectors.dim(0)) f.bad("_n_support", text("does not count the ", kernel.vectors.dim(0), " support vectors"));
    if (slope.size() && (slope.size() != intercept.size() || offset.size() != intercept.size()))
      f.bad("_probA", text("has ", slope.size(), " items for ", intercept.size(), " pairs"));
  }

  Outputs operator()(Expr x) const {
    const Expr z = matmul(kernel(x), pair_weights()) + intercept;  // (batch, pairs); > 0: the first of the pair
    const int64_t n = classes.size();
    Outputs out;
    if (n == 2) {
      out = classifier(classes, cast(reshaped(z, {rows}) <= 0.0, DataType::i64), {.decision_function = negated(z)});
    } else {
      const Expr votes = tally(cast(z > 0.0, DataType::f64), cast(z <= 0.0, DataType::f64));
      const Expr against_rest = confident(z);
      out = classifier(classes, argmax(break_ties && !one_against_one ? against_rest : votes),
                       {.decision_function = one_against_one ? z : against_rest});
    }
    if (slope.size()) out.predict_proba = probabilities(z);
    return out;
  }

 private:
  template <class F>
  void each_pair(F f) const {  // f(pair, first, second)
    int64_t pair = 0;
    for (int64_t i = 0; i < classes.size(); ++i)
      for (int64_t j = i + 1; j < classes.size(); ++j) f(pair++, i, j);
  }
  // (vectors, pairs): a vector of class c has one coefficient against each other class.
  Numbers pair_weights() const {
    const int64_t vectors = kernel.vectors.dim(0), pairs = intercept.size();
    std::vector<double> w(size_t(vectors * pairs), 0.0);
    std::vector<int64_t> start(1, 0);
    for (int64_t c : counts) start.push_back(start.back() + c);
    each_pair([&](int64_t pair, int64_t i, int64_t j) {
      for (int64_t s = start[size_t(i)]; s < start[size_t(i) + 1]; ++s) w[size_t(s * pairs + pair)] = dual(j - 1, s);
      for (int64_t s = start[size_t(j)]; s < start[size_t(j) + 1]; ++s) w[size_t(s * pairs + pair)] = dual(i, s);
    });
    return Numbers({vectors, pairs}, w);
  }
  // For each class the sum of `first` over the pairs it is first in, and of `second` over the others.
  Expr tally(Expr first, Expr second) const {
    const int64_t n = classes.size(), pairs = intercept.size();
    std::vector<double> is_first(size_t(pairs * n), 0.0), is_second = is_first;
    each_pair([&](int64_t pair, int64_t i, int64_t j) { is_first[size_t(pair * n + i)] = 1, is_second[size_t(pair * n + j)] = 1; });
    return matmul(first, Numbers({pairs, n}, is_first)) + matmul(second, Numbers({pairs, n}, is_second));
  }
  // scikit-learn's decision function of one class against the rest: votes, and confidences for what they leave open. A score of
  // exactly 0 votes for the first of the pair here.
  Expr confident(Expr z) const {
    const Expr sum = tally(z, negated(z));
    return tally(cast(z >= 0.0, DataType::f64), cast(z < 0.0, DataType::f64)) + sum / (3.0 * (abs(sum) + 1.0));
  }
  Expr probabilities(Expr z) const {
    const Expr f = z * slope + offset;
    const Expr small = exp(negated(abs(f))), p = where(f >= 0.0, small, 1.0) / (1.0 + small);
    const Expr clipped = minimum(maximum(p, 1e-7), 1 - 1e-7);
    std::vector<std::vector<Expr>> r(size_t(classes.size()), std::vector<Expr>(size_t(classes.size())));
    each_pair([&](int64_t pair, int64_t i, int64_t j) {
      r[size_t(i)][size_t(j)] = columns(clipped, {pair});
      r[size_t(j)][size_t(i)] = 1.0 - r[size_t(i)][size_t(j)];
    });
    return coupled_probabilities(r);
  }
};

Definitions svm_estimators() {
  const std::vector<std::string_view> kernels = {"()", "(kernel='poly', degree=2, coef0=1)", "(kernel='sigmoid')", "(gamma=.1, C=10)"};
  constexpr std::string_view scaled =
      "clean ratings";  // of unscaled prices a linear kernel's sums cancel 1e6 to 1, and the library is no more exact
  return {
      reads<SVC>("sklearn.svm.SVC", {.cases = kernels, .data = scaled, .tolerance = 1e-12}),
      // Hundreds of terms of the size of a product of rows, where rbf has terms of at most C.
      reads<SVC>("sklearn.svm.SVC", {.cases = {"(kernel='linear')"}, .data = scaled, .tolerance = 1e-11}),
      reads<SVR>("sklearn.svm.SVR", {.cases = {"(kernel='linear')"}, .data = scaled, .tolerance = 1e-11}),
      reads<SVC>("sklearn.svm.SVC", {.cases = {"()"}, .data = "prices", .tolerance = 1e-12}),
      reads<SVC>("sklearn.svm.SVC",
                 {.cases = {"(decision_function_shape='ovo')", "(break_ties=True)", "(probability=True, random_state=0)"},
                  .data = scaled,
                  .tolerance = 1e-12}),
      reads<SVC>("sklearn.svm.NuSVC", {.cases = {"(nu=.3)"}, .data = scaled, .tolerance = 1e-12}),
      // A margin near 0 divides the coefficients: sums of 1e8 that cancel to 1.
      reads<SVC>("sklearn.svm.NuSVC", {.cases = {"(nu=.3, kernel='linear')"}, .data = scaled, .tolerance = 1e-6}),
      reads<SVR>("sklearn.svm.SVR", {.cases = kernels, .data = scaled, .tolerance = 1e-12}),
      reads<SVR>("sklearn.svm.SVR", {.cases = {"()"}, .data = "prices", .tolerance = 1e-12}),
      reads<SVR>("sklearn.svm.NuSVR", {.cases = {"()"}, .data = scaled, .tolerance = 1e-12}),
  };
}

}  // namespace onward
