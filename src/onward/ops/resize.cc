#include "onward/ops/resize.h"

#include <cmath>

#include "onward/ops/typed.h"

namespace onward {

double Scaling::original(Resampling::Transformation transformation, int64_t i) const {
  const auto x = double(i);
  switch (transformation) {
    case Resampling::Transformation::asymmetric: return x / scale;
    case Resampling::Transformation::align_corners: {     // the official tests count with the length before it was rounded down
      const double length = scale * double(in);
      return out == 1 || length <= 1 ? 0 : x * double(in - 1) / (length - 1);
    }
    case Resampling::Transformation::pytorch_half_pixel: return out == 1 ? 0 : (x + 0.5) / scale - 0.5;
    case Resampling::Transformation::tf_half_pixel_for_nn: return (x + 0.5) / scale;
    case Resampling::Transformation::tf_crop_and_resize:
      return out > 1 ? start * double(in - 1) + x * (end - start) * double(in - 1) / double(out - 1) : 0.5 * (start + end) * double(in - 1);
    case Resampling::Transformation::half_pixel_symmetric: return double(in) / 2 * (1 - double(out) / (scale * double(in))) + (x + 0.5) / scale - 0.5;
    case Resampling::Transformation::half_pixel: break;
  }
  return (x + 0.5) / scale - 0.5;
}

namespace {

int64_t nearest(Resampling::Nearest rounding, double x) {
  x = std::clamp(x, -1e15, 1e15);
  if (rounding == Resampling::Nearest::floor) return int64_t(std::floor(x));
  if (rounding == Resampling::Nearest::ceil) return int64_t(std::ceil(x));
  return int64_t(rounding == Resampling::Nearest::round_prefer_ceil ? std::floor(x + 0.5) : std::ceil(x - 0.5));
}

struct Axis {
  int64_t in, out;
  std::vector<int64_t> from;                              // of every output the input; -1: outside
  bool inside = true;                                     // all of them
  bool doubles = false;                                   // every element stands twice
};

Axis picked(const Resampling& how, const Scaling& a) {
  Axis axis{a.in, a.out, std::vector<int64_t>(size_t(a.out)), true, a.out == 2 * a.in};
  for (int64_t k = 0; k < a.out; ++k) {
    const double at = a.original(how.transformation, k);
    const bool outside = how.crops() && (at < 0 || at > double(a.in - 1));
    axis.from[size_t(k)] = outside ? -1 : std::clamp(nearest(how.nearest, at), int64_t(0), a.in - 1);
    axis.inside = axis.inside && !outside;
    axis.doubles = axis.doubles && axis.from[size_t(k)] == k / 2;
  }
  return axis;
}

// The places of one axis after another; `block` elements stay together behind the last. x is null outside.
template <class T> T* pick(const T* x, int64_t size, std::span<const Axis> axes, int64_t block, const T& otherwise, T* to) {
  const Axis& a = axes.front();
  const int64_t stride = size / a.in;
  if (axes.size() > 1) {
    int64_t before = -2, each = 0;
    for (int64_t at : a.from) {
      T* const begin = to;
      if (at == before) to = std::copy_n(begin - each, each, begin);          // an element that stands twice
      else to = pick(x && at >= 0 ? x + at * stride : nullptr, stride, axes.subspan(1), block, otherwise, to);
      before = at, each = to - begin;
    }
    return to;
  }
  if (!x) return std::fill_n(to, a.out * block, otherwise);
  if (block > 1) {
    for (int64_t at : a.from) to = at < 0 ? std::fill_n(to, block, otherwise) : std::copy_n(x + at * block, block, to);
  } else if (a.doubles) {
#pragma GCC ivdep
    for (int64_t i = 0; i < a.in; ++i) to[2 * i] = x[i], to[2 * i + 1] = x[i];
    to += a.out;
  } else if (a.inside) {
    for (int64_t at : a.from) *to++ = x[at];
  } else {
    for (int64_t at : a.from) *to++ = at < 0 ? otherwise : x[at];
  }
  return to;
}

void pick_nearest(const Call& call, const Resampling& how, std::span<const Scaling> scalings, const Tensor& x, const Tensor& y) {
  // Axes that stay as they are: in front they make planes, behind they make blocks.
  size_t front = 0, behind = scalings.size();
  int64_t planes = 1, block = 1;
  while (front < scalings.size() && !scalings[front].changes(how)) planes *= scalings[front++].in;
  while (behind > front && !scalings[behind - 1].changes(how)) block *= scalings[--behind].in;
  std::vector<Axis> axes;
  for (size_t i = front; i < behind; ++i) axes.push_back(picked(how, scalings[i]));
  Tensor otherwise(y.type(), {});
  if (y.type() != DataType::str) store(Tensor::scalar(float(how.extrapolation)), otherwise);
  const int64_t from = x.size() / planes, to = y.size() / planes;
  for_type<detail::widths>(detail::width_type(y.type()), [&]<class T>() {
    if (axes.empty()) { std::copy_n(x.data<T>(), x.size(), y.data<T>()); return; }
    call.context.parallel(planes, 0.5 * double(to), [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) pick(x.data<T>() + i * from, from, std::span<const Axis>(axes), block, *otherwise.data<T>(), y.data<T>() + i * to);
    });
  });
}

// The one of `names` that `value` is, as a number.
template <class Enum> Enum one_of(std::string_view value, std::string_view attribute, std::initializer_list<std::string_view> names) {
  const auto it = std::find(names.begin(), names.end(), value);
  if (it == names.end()) invalid(attribute, " is '", value, "'");
  return Enum(it - names.begin());
}

}  // namespace

Resampling::Transformation transformation_of(std::string_view value) {
  return one_of<Resampling::Transformation>(value, "coordinate_transformation_mode",
      {"half_pixel", "half_pixel_symmetric", "pytorch_half_pixel", "align_corners", "asymmetric", "tf_crop_and_resize", "tf_half_pixel_for_nn"});
}
Resampling::Nearest nearest_of(std::string_view value) {
  return one_of<Resampling::Nearest>(value, "nearest_mode", {"round_prefer_floor", "round_prefer_ceil", "floor", "ceil"});
}

void resample(const Call& call, const Resampling& how, std::span<const Scaling> axes, const Tensor& x, const Tensor& y) {
  if (y.size() == 0) return;
  for (const Scaling& a : axes) if (a.in == 0) invalid("an axis without elements cannot become one of ", a.out);
  if (how.mode == Resampling::Mode::nearest) return pick_nearest(call, how, axes, x, y);
  if (y.type() == DataType::str || contains(complex_types, y.type())) unsupported("interpolating ", name_of(y.type()));
  interpolate(call, how, axes, x, y);
}

}  // namespace onward
