// How much each feature counts in a fitted model, as scikit-learn's feature_importances_ and coef_ say it; and NumPy's sums, whose order
// decides about what lies on a threshold.
#pragma once
#include "onward/estimators/fields.h"

namespace onward {

// (features), or (outputs, features). `getter` is "auto" or the path of an attribute. What is no plain data is refused by name.
Numbers importances_of(Fields& f, const plain::Value& estimator, const std::string& getter);

double sum_in_pairs(std::span<const double> items);  // numpy.sum of one contiguous row
double mean_of(std::span<const double> items);
double median_of(std::span<const double> items);

}  // namespace onward
