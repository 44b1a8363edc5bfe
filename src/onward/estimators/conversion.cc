#include "onward/estimators/conversion.h"

namespace onward {

std::string needs_own_operator(std::string_view op, std::string_view need) {
  return text("needs the operator com.onward.", op, ": ", need, " has no form in standard operators");
}

Expr Conversion::own(const std::string& op, std::vector<Expr> inputs, Attributes attributes, Result result, std::string_view need) {
  if (!own_ops) throw Error(Code::unsupported_estimator, needs_own_operator(op, need), std::string(allow_own_operators));
  return add(op, std::move(inputs), std::move(attributes), std::move(result), "com.onward");
}

}  // namespace onward
