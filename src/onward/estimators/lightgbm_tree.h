// A tree of a LightGBM file, in float64.
#pragma once
#include "onward/estimators/booster_inputs.h"
#include "onward/estimators/booster_values.h"

namespace onward {

inline constexpr double lightgbm_zero = 1.0000000180025095e-35;  // 1e-35 as float32: what is not larger is zero

// A test may see its column in one of three ways.
enum class LightgbmView : uint8_t { plain, zero_is_missing, category };

struct LightgbmTree {
  Tree tree;                        // features are columns of the file; the answer of each leaf
  std::vector<LightgbmView> views;  // by node
  std::vector<double> values;       // by leaf
  // Of a linear tree, by leaf: constant + coefficients × features.
  bool linear = false;
  std::vector<double> constants;
  std::vector<std::vector<int64_t>> features;
  std::vector<std::vector<double>> coefficients;
};

LightgbmTree read_lightgbm_tree(const BoosterRecord& tree, int64_t target, int64_t columns);

}  // namespace onward
