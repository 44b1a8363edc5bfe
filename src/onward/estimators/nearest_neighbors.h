// NearestNeighbors, and what others learn by it: the nearest rows of the training data and how far they are.
#pragma once
#include "onward/estimators/distance.h"

namespace onward {

struct NearestNeighbors {
  Distance distance;
  Numbers fitted;
  int64_t k = 5;

  void learned(Fields& f);
  bool takes_missing(const Frame&) const { return distance.takes_missing(); }
  struct Found {
    Expr rows, distances;  // (batch, count) each, the nearest first
  };
  Found nearest(Expr x, int64_t count) const;
  Outputs operator()(Expr x) const;
};

}  // namespace onward
