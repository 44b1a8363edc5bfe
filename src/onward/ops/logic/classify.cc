// IsNaN, IsInf.
#include <limits>

#include "onward/ops/elementwise.h"

namespace onward::ops {

Operators logic_classify() {
  return {elementwise<standard::IsNaN, standard::IsNaN::T1.types>([](auto x) { return x != x; }, {.examples = {"double [1, nan, inf] -> bool [false, true, false]"}}),
          elementwise<standard::IsInf, standard::IsInf::T1.types>([](const standard::IsInf& op, auto x) {
            constexpr auto infinity = std::numeric_limits<decltype(x)>::infinity();
            return bool((int(op.detect_positive != 0) & int(x == infinity)) | (int(op.detect_negative != 0) & int(x == -infinity)));   // no branch
          }, {.examples = {"float [inf, -inf, nan, 1]; detect_negative=0 -> bool [true, false, false, false]"}})};
}

}  // namespace onward::ops
