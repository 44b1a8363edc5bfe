// IsNaN, IsInf.
#include <cmath>

#include "onward/ops/elementwise.h"

namespace onward::ops {

Operators logic_classify() {
  return {elementwise<standard::IsNaN, standard::IsNaN::T1.types>([](auto x) { return x != x; }, {.examples = {"double [1, nan, inf] -> bool [false, true, false]"}}),
          elementwise<standard::IsInf, standard::IsInf::T1.types>([](const standard::IsInf& op, auto x) {
            return (op.detect_positive && x > 0 && x - x != 0 && x == x) || (op.detect_negative && x < 0 && x - x != 0 && x == x);
          }, {.examples = {"float [inf, -inf, nan, 1]; detect_negative=0 -> bool [true, false, false, false]"}})};
}

}  // namespace onward::ops
