// The power transforms of Box and Cox, and of Yeo and Johnson, as scipy computes them.
#pragma once
#include "onward/graph/math.h"

namespace onward {

// x (batch, columns) with each column's own exponent; Box-Cox is of positive numbers.
Expr box_cox(Expr x, const Numbers& lambdas);
Expr yeo_johnson(Expr x, const Numbers& lambdas);

}  // namespace onward
