// Estimators that say nothing about rows they were not fitted on.
#pragma once
#include <string_view>

namespace onward {

// Why a class of scikit-learn cannot become a model, and what to do instead; empty for all others.
std::string_view without_answer(std::string_view class_name);

}  // namespace onward
