// Functions of mathematics that C++ lacks, in double precision.
#pragma once

namespace onward {

double digamma(double x);  // ψ, the derivative of log Γ; NaN at 0 and below, where no fitted model has it

}  // namespace onward
