// Naive Bayes: log p(c) + Σ log p(xᵢ | c), normalised over the classes. What the features are distributed as makes the difference.
#include <cmath>

#include "onward/estimators/fields.h"
#include "onward/estimators/numpy_sum.h"

namespace onward {
namespace {

Outputs of_joint(const Tensor& classes, Expr joint) {
  const Expr top = max(joint);
  const Expr evidence = log(sum(exp(joint - top))) + top;
  Outputs out = classifier(classes, argmax(joint), {.predict_proba = exp(joint - evidence)});
  out.predict_log_proba = joint - evidence;
  return out;
}

}  // namespace

struct GaussianNB {
  Tensor classes;
  Numbers prior, mean, variance;
  bool narrow = false, narrow_prior = false;  // learned in float32

  void learned(Fields& f) {
    f("classes_", classes, {"classes"});
    f("class_prior_", prior, {"classes"});
    f("theta_", mean, {"classes", "features"});
    f("var_", variance, {"classes", "features"});
    narrow = f.float32("var_"), narrow_prior = f.float32("class_prior_");
  }
  // Of one class, in the type of the variances.
  template <class T>
  double normaliser(int64_t c) const {
    std::vector<T> logs;
    for (int64_t i = 0; i < mean.dim(1); ++i) logs.push_back(T(std::log(double(T(2 * M_PI) * T(variance(c, i))))));
    return T(-0.5) * numpy_sum<T>(logs);
  }
  Outputs operator()(Expr x) const {
    const Numbers constant = Numbers::of({prior.size()}, [&](int64_t c) { return narrow ? normaliser<float>(c) : normaliser<double>(c); });
    const Expr off = reshaped(x, {0, 1, mean.dim(1)}) - mean;  // (batch, classes, features)
    return of_joint(classes, prior.map([&](double p) { return narrow_prior ? float(std::log(p)) : std::log(p); }) + (constant - 0.5 * sum(off * off / variance, -1, false)));
  }
};

// Counts, or weights such as tf-idf's: a linear score for each class.
struct MultinomialNB {
  Tensor classes;
  Numbers prior, weight;  // logarithms

  void learned(Fields& f) {
    f("classes_", classes, {"classes"});
    f("class_log_prior_", prior, {"classes"});
    f("feature_log_prob_", weight, {"classes", "features"});
  }
  Outputs operator()(Expr x) const { return of_joint(classes, matmul(x, weight.transposed()) + prior); }
};

// How little a row looks like all other classes; the prior counts only where there is no other.
struct ComplementNB : MultinomialNB {
  Outputs operator()(Expr x) const {
    const Expr score = matmul(x, weight.transposed());
    return of_joint(classes, classes.size() == 1 ? score + prior : score);
  }
};

struct BernoulliNB : MultinomialNB {
  std::optional<double> threshold;

  void learned(Fields& f) {
    MultinomialNB::learned(f);
    f("binarize", threshold);
  }
  Outputs operator()(Expr x) const {
    if (threshold) x = cast(x > *threshold, DataType::f64);
    const Numbers absent = weight.map([](double p) { return std::log(1 - std::exp(p)); });
    const Numbers slope = Numbers::of(weight.shape(), [&](int64_t i) { return weight[i] - absent[i]; });
    const Numbers constant = Numbers::of({prior.size()}, [&](int64_t c) {
      double none = 0;
      for (int64_t i = 0; i < absent.dim(1); ++i) none += absent(c, i);
      return prior[c] + none;
    });
    return of_joint(classes, matmul(x, slope.transposed()) + constant);
  }
};

// Categories are the numbers 0, 1, …; a fraction is cut off. One beyond the fitted ones is an error at run time, here as there.
struct CategoricalNB {
  Tensor classes;
  Numbers prior;
  std::vector<Numbers> weight;  // (classes, categories) for each feature

  void learned(Fields& f) {
    f("classes_", classes, {"classes"});
    f("class_log_prior_", prior, {"classes"});
    f("feature_log_prob_", weight, {"features"});
    for (const Numbers& w : weight)
      if (w.shape().size() != 2 || w.dim(0) != prior.size() || w.dim(1) < 1)
        return f.bad("feature_log_prob_", text("holds an array of shape ", shown(w.shape()), " for ", prior.size(), " classes"));
  }
  Outputs operator()(Expr x) const {
    std::optional<Expr> joint;
    for (size_t i = 0; i < weight.size(); ++i) {
      const int64_t beyond = weight[i].dim(1);
      const Expr category = cast(column(x, int64_t(i)), DataType::i64);
      const Expr term = pick(weight[i].transposed(), where(category < 0.0, double(beyond), category));
      joint = joint ? *joint + term : term;
    }
    if (!joint) fail(Code::bad_file, "feature_log_prob_ is empty");
    return of_joint(classes, *joint + prior);
  }
};

Definitions naive_bayes_estimators() {
  constexpr std::string_view counted = "counts ratings";
  return {
      reads<GaussianNB>("sklearn.naive_bayes.GaussianNB", {.cases = {"()", "(var_smoothing=1e-3)"}, .tolerance = 1e-12}),
      reads<MultinomialNB>("sklearn.naive_bayes.MultinomialNB",
                           {.cases = {"()", "(alpha=.1, fit_prior=False)"}, .data = counted, .tolerance = 1e-12}),
      reads<ComplementNB>("sklearn.naive_bayes.ComplementNB", {.cases = {"()", "(norm=True)"}, .data = counted, .tolerance = 1e-12}),
      reads<BernoulliNB>("sklearn.naive_bayes.BernoulliNB",
                         {.cases = {"()", "(binarize=2.5, alpha=.5)"}, .data = "counts clean", .tolerance = 1e-12}),
      reads<BernoulliNB>("sklearn.naive_bayes.BernoulliNB", {.cases = {"(binarize=None)"}, .data = "bools", .tolerance = 1e-12}),
      reads<CategoricalNB>("sklearn.naive_bayes.CategoricalNB",
                           {.cases = {"()", "(alpha=.3, min_categories=9)"}, .data = "counts", .tolerance = 1e-12}),
  };
}

}  // namespace onward
