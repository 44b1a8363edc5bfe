// The little linear algebra that formulas need of learned matrices before they are constants.
#pragma once
#include "onward/graph/array.h"

namespace onward {

Numbers product(const Numbers& a, const Numbers& b);
// x with a·x = b, by Gaussian elimination with row exchanges. Throws Error{bad_file} where `a` has no inverse.
Numbers solved(const Numbers& a, const Numbers& b);

}  // namespace onward
