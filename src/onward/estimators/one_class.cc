// Outlier detectors that are one side of a surface: OneClassSVM and its linear form.
#include "onward/estimators/svm_kernel.h"

namespace onward {
namespace {

Outputs detected(Expr score, Expr inside, double offset) {
  Outputs out{.role = Outputs::Role::outliers};
  out.decision_function = score, out.score_samples = score + offset;
  out.predict = where(inside, Array<int64_t>{1}, Array<int64_t>{-1});
  return out;
}

}  // namespace

struct OneClassSVM {
  SvmKernel kernel;
  Numbers dual, intercept;

  void learned(Fields& f) {
    kernel.learned(f);
    f("_dual_coef_", dual, {"1", "vectors"});
    f("_intercept_", intercept, {"1"});
  }
  Outputs operator()(Expr x) const {
    const Expr score = reshaped(matmul(kernel(x), dual.transposed()) + intercept, {rows});
    return detected(score, score > 0.0, -intercept[0]);
  }
};

struct SGDOneClassSVM {
  Numbers coef;
  double offset = 0;

  void learned(Fields& f) {
    f("coef_", coef);
    if (coef && coef.size() != f.facts().n_features_in)
      f.bad("coef_", text("has shape ", shown(coef.shape()), " for ", f.facts().n_features_in, " features"));
    f("offset_", offset);
  }
  Outputs operator()(Expr x) const {
    const Expr score = reshaped(matmul(x, coef.reshaped({coef.size(), 1})) - offset, {rows});
    return detected(score, score >= 0.0, offset);
  }
};

Definitions one_class_estimators() {
  constexpr std::string_view all = "label scores score_samples";
  return {
      reads<OneClassSVM>("sklearn.svm.OneClassSVM",
                         {.cases = {"(nu=.2)", "(kernel='poly', degree=2, coef0=1)", "(kernel='sigmoid', nu=.3)"},
                          .data = "clean ratings",
                          .tolerance = 1e-12,
                          .outputs = all}),
      reads<OneClassSVM>("sklearn.svm.OneClassSVM", {.cases = {"(kernel='linear', nu=.1)"}, .data = "clean", .tolerance = 1e-11,
                                                     .outputs = all}),
      reads<SGDOneClassSVM>("sklearn.linear_model.SGDOneClassSVM",
                            {.cases = {"(random_state=0)", "(nu=.1, fit_intercept=False, random_state=0)"},
                             .data = "clean ratings",
                             .tolerance = 1e-12,
                             .outputs = all}),
  };
}

}  // namespace onward
