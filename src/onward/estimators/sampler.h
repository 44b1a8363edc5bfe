// imbalanced-learn's samplers, which draw, drop and make rows while a pipeline is fitted, and let new rows pass.
#pragma once
#include "onward/estimators/fields.h"

namespace onward {

struct Sampler {
  static constexpr bool takes_missing = true, takes_infinity = true;
  void learned(Fields&) {}
  Outputs operator()(const Frame&) const {
    throw Error(Code::unsupported_estimator, "resamples rows for fitting and has no answer for new ones",
                "convert the pipeline or the ensemble that it stands in");
  }
};

}  // namespace onward
