// A tree of an XGBoost file, in float32.
#pragma once
#include "onward/estimators/booster_inputs.h"
#include "onward/estimators/booster_values.h"

namespace onward {

// `weight`: what dropout multiplies its leaves with.
Tree read_xgboost_tree(const BoosterRecord& tree, int64_t target, int64_t outputs, std::optional<double> weight);

}  // namespace onward
