#include "onward/ops/lane_scores.h"

#include <algorithm>

#include "onward/simd/math.h"
#include "onward/simd/targets.h"

namespace onward {
namespace {

struct LargestBody {
  [[gnu::always_inline]] static void run(const float* scores, int64_t targets, int64_t rows, int32_t* which) {
    if (targets == 1) {
      for (int64_t r = 0; r < rows; ++r) which[r] = scores[r] > 0;
      return;
    }
    float top[lane_rows];
    for (int64_t r = 0; r < rows; ++r) top[r] = scores[r], which[r] = 0;
    for (int64_t t = 1; t < targets; ++t) {
      const float* s = scores + t * lane_rows;
      for (int64_t r = 0; r < rows; ++r) which[r] = top[r] < s[r] ? int32_t(t) : which[r];
      for (int64_t r = 0; r < rows; ++r) top[r] = top[r] < s[r] ? s[r] : top[r];
    }
  }
};

struct LogisticBody {
  [[gnu::always_inline]] static void run(float* scores, int64_t targets, int64_t rows) {
    for (int64_t t = 0; t < targets; ++t) {
      float* s = scores + t * lane_rows;
      for (int64_t r = 0; r < rows; ++r) {
        const float p = 1 / (1 + simd::exp(-std::fabs(s[r])));
        s[r] = s[r] >= 0 ? p : 1 - p;
      }
    }
  }
};

struct BothBody {
  [[gnu::always_inline]] static void run(const float* s, int64_t rows, float* y) {
    float lower[lane_rows], upper[lane_rows];
    for (int64_t r = 0; r < rows; ++r) {
      const float p = 1 / (1 + simd::exp(-std::fabs(s[r])));
      lower[r] = -s[r] >= 0 ? p : 1 - p, upper[r] = s[r] >= 0 ? p : 1 - p;
    }
    for (int64_t r = 0; r < rows; ++r) y[2 * r] = lower[r], y[2 * r + 1] = upper[r];
  }
};

struct SoftmaxBody {
  [[gnu::always_inline]] static void run(float* scores, int64_t targets, int64_t rows) {
    float top[lane_rows], total[lane_rows];
    for (int64_t r = 0; r < rows; ++r) top[r] = scores[r], total[r] = 0;
    for (int64_t t = 1; t < targets; ++t)
      for (int64_t r = 0; r < rows; ++r) top[r] = top[r] < scores[t * lane_rows + r] ? scores[t * lane_rows + r] : top[r];
    for (int64_t t = 0; t < targets; ++t) {
      float* s = scores + t * lane_rows;
      for (int64_t r = 0; r < rows; ++r) s[r] = simd::exp(s[r] - top[r]), total[r] += s[r];
    }
    for (int64_t t = 0; t < targets; ++t)
      for (int64_t r = 0; r < rows; ++r) scores[t * lane_rows + r] /= total[r];
  }
};

struct RowsBody {
  [[gnu::always_inline]] static void run(const float* scores, int64_t targets, int64_t rows, float* y) {
    if (targets == 2) for (int64_t r = 0; r < rows; ++r) y[2 * r] = scores[r], y[2 * r + 1] = scores[lane_rows + r];
    else for (int64_t r = 0; r < rows; ++r) for (int64_t t = 0; t < targets; ++t) y[r * targets + t] = scores[t * lane_rows + r];
  }
};

void one_by_one(float* scores, int64_t targets, int64_t rows, PostTransform kind) {
  std::vector<float> row(static_cast<size_t>(targets));
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t t = 0; t < targets; ++t) row[size_t(t)] = scores[t * lane_rows + r];
    post_transform(std::span(row), kind);
    for (int64_t t = 0; t < targets; ++t) scores[t * lane_rows + r] = row[size_t(t)];
  }
}

}  // namespace

void largest_of_lanes(const float* scores, int64_t targets, int64_t rows, int32_t* which) {
  simd::Compiled<LargestBody, const float*, int64_t, int64_t, int32_t*>::best(scores, targets, rows, which);
}

void post_transform_lanes(float* scores, int64_t targets, int64_t rows, PostTransform kind) {
  if (kind == PostTransform::none) return;
  if (kind == PostTransform::logistic) simd::Compiled<LogisticBody, float*, int64_t, int64_t>::best(scores, targets, rows);
  else if (kind == PostTransform::softmax) simd::Compiled<SoftmaxBody, float*, int64_t, int64_t>::best(scores, targets, rows);
  else one_by_one(scores, targets, rows, kind);
}

void logistic_of_both(const float* scores, int64_t rows, float* y) { simd::Compiled<BothBody, const float*, int64_t, float*>::best(scores, rows, y); }

void lanes_to_rows(const float* scores, int64_t targets, int64_t rows, float* y) {
  simd::Compiled<RowsBody, const float*, int64_t, int64_t, float*>::best(scores, targets, rows, y);
}

}  // namespace onward
