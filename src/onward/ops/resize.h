// Resampling along axes, as Resize and Upsample do it.
#pragma once
#include "onward/ops/operator.h"

namespace onward {

struct Resampling {
  enum class Mode : uint8_t { nearest, linear, cubic };
  enum class Transformation : uint8_t { half_pixel, half_pixel_symmetric, pytorch_half_pixel, align_corners, asymmetric, tf_crop_and_resize, tf_half_pixel_for_nn };
  enum class Nearest : uint8_t { round_prefer_floor, round_prefer_ceil, floor, ceil };
  Mode mode = Mode::nearest;
  Transformation transformation = Transformation::half_pixel;
  Nearest nearest = Nearest::round_prefer_floor;
  double cubic_a = -0.75, extrapolation = 0;
  bool antialias = false, exclude_outside = false;

  bool crops() const { return transformation == Transformation::tf_crop_and_resize; }
};
Resampling::Transformation transformation_of(std::string_view coordinate_transformation_mode);
Resampling::Nearest nearest_of(std::string_view nearest_mode);

// One axis: its sizes before and after, by how much it grows, and the part of it that is shown (tf_crop_and_resize).
struct Scaling {
  int64_t in, out;
  double scale, start = 0, end = 1;
  double original(Resampling::Transformation transformation, int64_t i) const;          // where the centre of output element i lies in the input
  bool changes(const Resampling& how) const { return in != out || scale != 1 || how.crops(); }
};

void resample(const Call& call, const Resampling& how, std::span<const Scaling> axes, const Tensor& x, const Tensor& y);
// The same of modes that mix neighbours.
void interpolate(const Call& call, const Resampling& how, std::span<const Scaling> axes, const Tensor& x, const Tensor& y);

}  // namespace onward
