// Gaussians of a location and a precision: how far a row is (Mahalanobis, squared), and whether that is too far (EllipticEnvelope).
#include "onward/estimators/fields.h"

namespace onward {
namespace {

struct Gaussian {
  Numbers location, precision;

  void learned(Fields& f) {
    f("location_", location, {"features"});
    if (!f.given("precision_"))
      return f.refuse("store_precision", "is False, so the file does not hold the precision", "fit with store_precision=True");
    f("precision_", precision, {"features", "features"});
  }
  Expr mahalanobis(Expr x) const {  // (batch)
    const Expr off = x - location;
    return sum(matmul(off, precision) * off, -1, false);
  }
};

}  // namespace

struct EllipticEnvelope : Gaussian {
  double offset = 0;

  void learned(Fields& f) {
    Gaussian::learned(f);
    f("offset_", offset);
  }
  Outputs operator()(Expr x) const {
    Outputs out{.role = Outputs::Role::outliers};
    out.distances = mahalanobis(x);
    out.score_samples = negated(*out.distances);
    out.decision_function = *out.score_samples - offset;
    out.predict = where(*out.decision_function >= 0.0, Array<int64_t>{1}, Array<int64_t>{-1});
    return out;
  }
};

// For new rows these know one thing: their distance from the centre.
struct Covariance : Gaussian {
  Outputs operator()(Expr x) const {
    Outputs out;
    out.distances = mahalanobis(x);
    return out;
  }
};

Definitions covariance_estimators() {
  Definitions all = {reads<EllipticEnvelope>("sklearn.covariance.EllipticEnvelope",
                                             {.cases = {"(random_state=0)", "(contamination=.2, random_state=0)"},
                                              .tolerance = 1e-12,
                                              .outputs = "label scores score_samples distances"})};
  const auto add = [&](std::string_view name, std::vector<std::string_view> cases) {
    all.push_back(reads<Covariance>(name, {.cases = std::move(cases), .tolerance = 1e-12}));
  };
  add("sklearn.covariance.EmpiricalCovariance", {"()", "(assume_centered=True)"});
  add("sklearn.covariance.ShrunkCovariance", {"(shrinkage=.3)"});
  add("sklearn.covariance.LedoitWolf", {"()"});
  add("sklearn.covariance.OAS", {"()"});
  add("sklearn.covariance.MinCovDet", {"(random_state=0)"});
  add("sklearn.covariance.GraphicalLasso", {"(alpha=.05)"});
  add("sklearn.covariance.GraphicalLassoCV", {"(alphas=[.01, .1], cv=2)"});
  return all;
}

}  // namespace onward
