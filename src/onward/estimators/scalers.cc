// Scalers: every column shifted and stretched by learned constants, in the order and precision scikit-learn uses.
#include "onward/estimators/fields.h"

namespace onward {

struct StandardScaler {
  static constexpr bool takes_missing = true;
  bool with_mean = true, with_std = true;
  std::optional<Numbers> mean, scale;

  void learned(Fields& f) {
    f("with_mean", with_mean);
    f("with_std", with_std);
    f("mean_", mean, {"features"});
    f("scale_", scale, {"features"});
  }
  Outputs operator()(Expr x) const {
    if (with_mean && mean) x = x - *mean;
    if (with_std && scale) x = x / *scale;
    return transformed(x);
  }
  Expr inverse(Expr y) const {
    if (with_std && scale) y = y * *scale;
    return with_mean && mean ? y + *mean : y;
  }
};

struct RobustScaler {
  static constexpr bool takes_missing = true;
  bool with_centering = true, with_scaling = true;
  std::optional<Numbers> center, scale;

  void learned(Fields& f) {
    f("with_centering", with_centering);
    f("with_scaling", with_scaling);
    f("center_", center, {"features"});
    f("scale_", scale, {"features"});
  }
  Outputs operator()(Expr x) const {
    if (with_centering && center) x = x - *center;
    if (with_scaling && scale) x = x / *scale;
    return transformed(x);
  }
  Expr inverse(Expr y) const {
    if (with_scaling && scale) y = y * *scale;
    return with_centering && center ? y + *center : y;
  }
};

struct MinMaxScaler {
  static constexpr bool takes_missing = true;
  Numbers scale, min;
  bool clip = false;  // since 0.24
  std::vector<double> range;

  void learned(Fields& f) {
    f("scale_", scale, {"features"});
    f("min_", min, {"features"});
    f.since("clip", clip);
    f("feature_range", range, {"2"});
  }
  Outputs operator()(Expr x) const {
    x = x * scale + min;
    return transformed(clip ? minimum(maximum(x, range.at(0)), range.at(1)) : x);
  }
  Expr inverse(Expr y) const { return (y - min) / scale; }
};

struct MaxAbsScaler {
  static constexpr bool takes_missing = true;
  Numbers scale;
  bool clip = false;  // since 1.9

  void learned(Fields& f) {
    f("scale_", scale, {"features"});
    f.since("clip", clip);
  }
  Outputs operator()(Expr x) const {
    x = x / scale;
    return transformed(clip ? minimum(maximum(x, -1.0), 1.0) : x);
  }
  Expr inverse(Expr y) const { return y * scale; }
};

struct Normalizer {
  enum class Norm { l1, l2, max } norm = Norm::l2;

  void learned(Fields& f) { f.choice("norm", norm, {{"l2", Norm::l2}, {"l1", Norm::l1}, {"max", Norm::max}}); }
  Outputs operator()(Expr x) const {
    const Expr length = norm == Norm::l1 ? sum(abs(x)) : norm == Norm::l2 ? sqrt(sum(x * x)) : max(abs(x));
    // Rows of nothing stay as they are.
    return transformed(x / where(length < 10 * 2.220446049250313e-16, 1.0, length));
  }
};

struct Binarizer {
  double threshold = 0;

  void learned(Fields& f) { f("threshold", threshold); }
  Outputs operator()(Expr x) const { return transformed(cast(x > threshold, DataType::f64)); }
};

Definitions scalers_estimators() {
  return {
      reads<StandardScaler>("sklearn.preprocessing.StandardScaler",
                            {.cases = {"()", "(with_mean=False)", "(with_std=False)"}, .data = "clean ratings prices missing"}),
      reads<RobustScaler>("sklearn.preprocessing.RobustScaler",
                          {.cases = {"()", "(with_centering=False)", "(unit_variance=True, quantile_range=(10, 80))"},
                           .data = "clean ratings prices missing"}),
      reads<MinMaxScaler>("sklearn.preprocessing.MinMaxScaler",
                          {.cases = {"()", "(feature_range=(-1, 2), clip=True)"}, .data = "clean ratings prices missing"}),
      reads<MaxAbsScaler>("sklearn.preprocessing.MaxAbsScaler", {.data = "clean ratings prices missing"}),
      reads<Normalizer>("sklearn.preprocessing.Normalizer", {.cases = {"()", "(norm='l1')", "(norm='max')"}, .tolerance = 1e-12}),
      reads<Binarizer>("sklearn.preprocessing.Binarizer", {.cases = {"()", "(threshold=2.5)"}}),
  };
}

}  // namespace onward
