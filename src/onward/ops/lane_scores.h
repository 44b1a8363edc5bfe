// What a classifier does to the scores of rows that stand side by side: scores[t * lane_rows + r], at most lane_rows rows.
#pragma once
#include "onward/ops/post_transform.h"
#include "onward/ops/row_lanes.h"

namespace onward {

// The target with the largest score of each row, the first of equal ones; with one target, whether it is above 0.
void largest_of_lanes(const float* scores, int64_t targets, int64_t rows, int32_t* which);
void post_transform_lanes(float* scores, int64_t targets, int64_t rows, PostTransform kind);
// y[2 * r] = logistic(-s), y[2 * r + 1] = logistic(s) of a row's only score s.
void logistic_of_both(const float* scores, int64_t rows, float* y);
// y[r * targets + t] = scores[t * lane_rows + r].
void lanes_to_rows(const float* scores, int64_t targets, int64_t rows, float* y);

}  // namespace onward
