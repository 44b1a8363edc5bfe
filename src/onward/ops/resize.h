// Resampling along axes, as Resize and Upsample do it.
#pragma once
#include "onward/ops/operator.h"

namespace onward {

struct Resampling {
  enum class Mode : uint8_t { nearest, linear, cubic };
  Mode mode = Mode::nearest;
  std::string transformation = "half_pixel", nearest = "round_prefer_floor";
  double cubic_a = -0.75, extrapolation = 0;
  bool antialias = false, exclude_outside = false;
};

// One axis: its sizes before and after, by how much it grows, and the part of it that is shown (tf_crop_and_resize).
struct Scaling { int64_t in, out; double scale, start = 0, end = 1; };

void check_resampling(const Resampling& how);
void resample(const Call& call, const Resampling& how, std::span<const Scaling> axes, const Tensor& x, const Tensor& y);

}  // namespace onward
