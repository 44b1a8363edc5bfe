// Elementary functions of float64 numbers out of operators that every engine has a float64 kernel of: ONNX Runtime has none of Erf, Tan,
// Asin and their kin, and the standard has no Log1p. Relative errors are below 1e-15. Of other types the operator itself, where there is
// one.
#pragma once
#include "onward/graph/math.h"

namespace onward {

Expr log1p(const Expr&);
Expr expm1(const Expr&);
Expr erf(const Expr&);
Expr tan(const Expr&);
Expr asin(const Expr&);
Expr acos(const Expr&);
Expr atan(const Expr&);
Expr sinh(const Expr&);
Expr cosh(const Expr&);
Expr asinh(const Expr&);
Expr acosh(const Expr&);
Expr atanh(const Expr&);

}  // namespace onward
