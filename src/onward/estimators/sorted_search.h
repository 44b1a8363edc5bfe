// Where a value lies among sorted ones: the lookup that bins, quantiles and splines begin with.
#pragma once
#include "onward/graph/math.h"

namespace onward {

// x (batch, columns), lists (columns, items): each column's own list in ascending order, NaN behind its end where it is shorter.
// -> int64 (batch, columns): how many items of the list are at most x; 0 where x is NaN.
Expr count_at_most(Expr x, const Numbers& lists);

// Lists of any lengths in that form.
Numbers side_by_side(const std::vector<Numbers>& lists);

}  // namespace onward
