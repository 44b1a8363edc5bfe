#include "onward/estimators/conversion.h"

namespace onward {

Expr Conversion::own(const std::string& op, std::vector<Expr> inputs, Attributes attributes, Result result, std::string_view need) {
  if (!own_ops)
    throw Error(Code::unsupported_estimator, text("needs the operator com.onward.", op, ": ", need, " has no form in standard operators"),
                "allow it by --own-ops (own_ops=True in Python); only onward runs such a file");
  return add(op, std::move(inputs), std::move(attributes), std::move(result), "com.onward");
}

}  // namespace onward
