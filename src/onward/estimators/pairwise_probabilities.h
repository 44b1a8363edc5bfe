// Class probabilities from the probabilities of each pair of classes: the second method of Wu, Lin and Weng (2004) as libsvm iterates it,
// row by row until it converges. One If-free Loop; rows that have converged stand still.
#pragma once
#include "onward/graph/math.h"

namespace onward {

// r[i][j]: (batch, 1), the probability of class i against class j; the diagonal is not read. -> (batch, classes)
Expr coupled_probabilities(const std::vector<std::vector<Expr>>& r);

}  // namespace onward
