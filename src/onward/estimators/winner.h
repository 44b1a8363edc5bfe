// Which of several parts wins that each know one class against the rest.
#pragma once
#include "onward/graph/math.h"

namespace onward {

// The column of the largest score, (batch). Of equals the library took the last until 1.8 (version 108), since then the first.
Expr place_of_winner(Expr scores, int version);

}  // namespace onward
