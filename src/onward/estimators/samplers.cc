#include "onward/estimators/sampler.h"

namespace onward {

Definitions samplers_estimators() {
  Definitions all;
  for (const std::string_view known : {"imblearn.over_sampling.*", "imblearn.under_sampling.*", "imblearn.combine.*", "imblearn.base.FunctionSampler"}) {
    all.push_back(reads<Sampler>(known, {.cases = {}}));
    all.back().may_be_stateless = true;
  }
  return all;
}

}  // namespace onward
