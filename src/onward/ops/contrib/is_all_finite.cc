// IsAllFinite: whether no element of any input is infinite or NaN.
#include <cmath>

#include "onward/ops/contrib.h"
#include "onward/ops/operator.h"
#include "onward/ops/typed.h"

namespace onward::ops {
namespace {

struct IsAllFinite : contrib::IsAllFinite {
  void prepare(const Preparation&) const {
    if (isinf_only && isnan_only) fail(Code::bad_model, "isinf_only and isnan_only exclude each other");
  }
  void infer(Inference& io) const { io.output(0, DataType::b8, {}); }
  void run(Call& call) const {
    bool all = true;
    for (size_t i = 0; all && i < call.inputs.size(); ++i)
      for (const double v : as_doubles(call.tensor(i))) all = all && !((std::isinf(v) && !isnan_only) || (std::isnan(v) && !isinf_only));
    *call.output(0).data<bool>() = all;
  }
};

}  // namespace

Operators contrib_is_all_finite() {
  return {define<IsAllFinite>({.examples = {"float [1, 2], float [3] -> bool 1", "double [1, inf] -> bool 0", "float [nan]; isinf_only=1 -> bool 1"}})};
}

}  // namespace onward::ops
