// Which of the things an estimator can compute a model gives, under the contract's names.
#pragma once
#include "onward/estimators/convert.h"

namespace onward {

struct NamedOutput {
  std::string name;
  Expr value;
  std::vector<std::string> columns = {};  // of the table it becomes, where the estimator names them
  Tensor classes = {};                    // a classifier's, in the order of the columns
};
std::vector<NamedOutput> chosen_outputs(const Outputs&, const std::vector<std::string>& wanted);

}  // namespace onward
