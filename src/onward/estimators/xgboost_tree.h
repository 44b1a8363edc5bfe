// A tree of an XGBoost file, in float32.
#pragma once
#include "onward/estimators/booster_inputs.h"
#include "onward/estimators/booster_values.h"

namespace onward {

// A leaf of a tree that dropout weighs: ((leaf + base) - base) * weight.
struct Dropout {
  float weight = 1, base = 0;
};
Tree read_xgboost_tree(const BoosterRecord& tree, int64_t target, int64_t outputs, std::optional<Dropout> dropout);

}  // namespace onward
