// Two classes whose scores are each other's negative, as exporters write a logistic regression: one score says it all.
#pragma once
#include <string>
#include <vector>

namespace onward {

// Keeps the second class alone where that changes no bit of the answer. Coefficients lie class after class.
inline void keep_one_of_mirrored(std::vector<float>& coefficients, std::vector<float>& intercepts, size_t labels, const std::string& post_transform) {
  const size_t n = coefficients.size() / 2;
  if (labels != 2 || intercepts.size() != 2 || coefficients.size() != 2 * n || post_transform != "LOGISTIC" || intercepts[0] != -intercepts[1]) return;
  for (size_t k = 0; k < n; ++k) if (coefficients[k] != -coefficients[n + k]) return;
  coefficients.erase(coefficients.begin(), coefficients.begin() + ptrdiff_t(n));
  intercepts.erase(intercepts.begin());
}

}  // namespace onward
