// Piecewise linear functions of one variable, as numpy.interp computes them: the slope of a piece, then the line from its left end.
#pragma once
#include "onward/graph/math.h"

namespace onward {

// How many of `knots`, which ascend, are at most x: (batch) or (batch, 1) -> the same shape, int64. NaN counts as above all.
Expr count_up_to(Expr x, const Numbers& knots);
// The same for those below x.
Expr count_below(Expr x, const Numbers& knots);

enum class Beyond : uint8_t { ends, nan };  // outside the knots: the value of the nearest one, or NaN

struct Piecewise {
  Numbers x, y;         // (knots); x ascends
  bool narrow = false;  // arithmetic in float32, as scipy.interpolate.interp1d does for float32 knots

  Expr operator()(Expr at, Beyond beyond) const;  // of doubles, in the shape of `at`
};

}  // namespace onward
