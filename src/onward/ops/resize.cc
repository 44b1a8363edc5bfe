#include "onward/ops/resize.h"

#include <cmath>

#include "onward/ops/typed.h"

namespace onward {
namespace {

// Where the centre of output element i lies in the input.
double original(const Resampling& how, const Scaling& a, int64_t i) {
  const auto x = double(i);
  if (how.transformation == "asymmetric") return x / a.scale;
  if (how.transformation == "align_corners") {            // the official tests count with the length before it was rounded down
    const double length = a.scale * double(a.in);
    return a.out == 1 || length <= 1 ? 0 : x * double(a.in - 1) / (length - 1);
  }
  if (how.transformation == "pytorch_half_pixel") return a.out == 1 ? 0 : (x + 0.5) / a.scale - 0.5;
  if (how.transformation == "tf_half_pixel_for_nn") return (x + 0.5) / a.scale;
  if (how.transformation == "tf_crop_and_resize")
    return a.out > 1 ? a.start * double(a.in - 1) + x * (a.end - a.start) * double(a.in - 1) / double(a.out - 1) : 0.5 * (a.start + a.end) * double(a.in - 1);
  const double shifted = (x + 0.5) / a.scale - 0.5;
  if (how.transformation != "half_pixel_symmetric") return shifted;
  return double(a.in) / 2 * (1 - double(a.out) / (a.scale * double(a.in))) + shifted;
}

int64_t nearest(const std::string& rounding, double x) {
  x = std::clamp(x, -1e15, 1e15);
  if (rounding == "floor") return int64_t(std::floor(x));
  if (rounding == "ceil") return int64_t(std::ceil(x));
  return int64_t(rounding == "round_prefer_ceil" ? std::floor(x + 0.5) : std::ceil(x - 0.5));
}

double triangle(double t) { return std::max(0.0, 1 - std::fabs(t)); }
double cubic(double t, double a) {
  t = std::fabs(t);
  if (t <= 1) return ((a + 2) * t - (a + 3)) * t * t + 1;
  if (t < 2) return ((a * t - 5 * a) * t + 8 * a) * t - 4 * a;
  return 0;
}

// What an output element is made of: weights of neighbours from `first`, or the extrapolation value.
struct Taps { int64_t first = 0; std::vector<double> weights; bool outside = false; };

Taps taps(const Resampling& how, const Scaling& a, int64_t i) {
  const double x = original(how, a, i);
  if (!(std::fabs(x) < 1e15)) invalid("a scale of ", a.scale, " leads nowhere");
  Taps t;
  t.outside = how.transformation == "tf_crop_and_resize" && (x < 0 || x > double(a.in - 1));
  const double stretch = how.antialias ? std::min(a.scale, 1.0) : 1, reach = (how.mode == Resampling::Mode::linear ? 1 : 2) / stretch;
  const auto low = int64_t(std::floor(x - reach)), high = int64_t(std::ceil(x + reach));
  if (high - low > int64_t(1) << 26) fail(Code::limit_size, "a scale of ", a.scale, " mixes ", high - low, " elements into one");
  t.first = std::clamp(low, int64_t(0), a.in - 1);
  t.weights.resize(size_t(std::clamp(high, int64_t(0), a.in - 1) - t.first + 1));
  double total = 0;
  for (int64_t k = low; k <= high; ++k) {
    const double w = how.mode == Resampling::Mode::linear ? triangle((double(k) - x) * stretch) : cubic((double(k) - x) * stretch, how.cubic_a);
    if (how.exclude_outside && (k < 0 || k >= a.in)) continue;
    t.weights[size_t(std::clamp(k, int64_t(0), a.in - 1) - t.first)] += w, total += w;
  }
  if ((how.antialias || how.exclude_outside) && total != 0) for (double& w : t.weights) w /= total;
  return t;
}

// Along one axis of [outer, in, inner].
void along(const Call& call, std::span<const Taps> all, const double* x, double* y, int64_t outer, int64_t in, int64_t inner, double extrapolation) {
  const auto out = int64_t(all.size());
  call.context.parallel(outer * out, 3.0 * double(inner), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const Taps& t = all[size_t(row % out)];
      double* to = y + row * inner;
      std::fill_n(to, inner, t.outside ? extrapolation : 0.0);
      if (t.outside) continue;
      for (size_t k = 0; k < t.weights.size(); ++k) {
        const double* from = x + (row / out * in + t.first + int64_t(k)) * inner;
        for (int64_t i = 0; i < inner; ++i) to[i] += t.weights[k] * from[i];
      }
    }
  });
}

void interpolate(const Call& call, const Resampling& how, std::span<const Scaling> axes, const Tensor& x, const Tensor& y) {
  Tensor now = as_type(call, x, DataType::f64);
  std::vector<std::vector<bool>> outside(axes.size());
  for (size_t i = 0; i < axes.size(); ++i) {
    const Scaling& a = axes[i];
    if (a.in == a.out && a.scale == 1 && how.transformation != "tf_crop_and_resize") continue;
    call.context.check();
    std::vector<Taps> all;
    for (int64_t k = 0; k < a.out; ++k) all.push_back(taps(how, a, k));
    Dims dims = now.dims();
    dims[i] = a.out;
    const Tensor next = call.scratch(DataType::f64, dims);
    along(call, all, now.data<double>(), next.data<double>(), product(dims, 0, int64_t(i)), a.in, product(dims, int64_t(i) + 1, int64_t(dims.size())), how.extrapolation);
    for (const Taps& t : all) outside[i].push_back(t.outside);
    now = next;
  }
  if (how.transformation == "tf_crop_and_resize") {       // outside along any axis is outside
    for (int64_t at = 0; at < now.size(); ++at) {
      int64_t rest = at;
      for (size_t i = axes.size(); i-- > 0; rest /= axes[i].out) if (outside[i][size_t(rest % axes[i].out)]) now.data<double>()[at] = how.extrapolation;
    }
  }
  store(now, y);
}

template <class T> T* pick(const T* x, int64_t size, std::span<const Scaling> axes, std::span<const std::vector<int64_t>> from, const T& otherwise, T* to) {
  if (axes.empty()) { *to = x ? *x : otherwise; return to + 1; }
  const int64_t stride = size / axes[0].in;
  for (int64_t at : from[0]) to = pick(x && at >= 0 ? x + at * stride : nullptr, stride, axes.subspan(1), from.subspan(1), otherwise, to);
  return to;
}

void pick_nearest(const Resampling& how, std::span<const Scaling> axes, const Tensor& x, const Tensor& y) {
  std::vector<std::vector<int64_t>> from(axes.size());
  for (size_t i = 0; i < axes.size(); ++i)
    for (int64_t k = 0; k < axes[i].out; ++k) {
      const double at = original(how, axes[i], k);
      const bool outside = how.transformation == "tf_crop_and_resize" && (at < 0 || at > double(axes[i].in - 1));
      from[i].push_back(outside ? -1 : std::clamp(nearest(how.nearest, at), int64_t(0), axes[i].in - 1));
    }
  Tensor otherwise(y.type(), {});
  if (y.type() != DataType::str) store(Tensor::scalar(float(how.extrapolation)), otherwise);
  for_type<detail::widths>(detail::width_type(y.type()), [&]<class T>() { pick(x.data<T>(), x.size(), axes, std::span<const std::vector<int64_t>>(from), *otherwise.data<T>(), y.data<T>()); });
}

}  // namespace

void check_resampling(const Resampling& how) {
  const auto one_of = [](const std::string& value, std::string_view name, std::initializer_list<std::string_view> known) {
    if (std::find(known.begin(), known.end(), value) == known.end()) invalid(name, " is '", value, "'");
  };
  one_of(how.transformation, "coordinate_transformation_mode", {"half_pixel", "half_pixel_symmetric", "pytorch_half_pixel", "align_corners", "asymmetric", "tf_crop_and_resize", "tf_half_pixel_for_nn"});
  one_of(how.nearest, "nearest_mode", {"round_prefer_floor", "round_prefer_ceil", "floor", "ceil"});
}

void resample(const Call& call, const Resampling& how, std::span<const Scaling> axes, const Tensor& x, const Tensor& y) {
  if (y.size() == 0) return;
  for (const Scaling& a : axes) if (a.in == 0) invalid("an axis without elements cannot become one of ", a.out);
  if (how.mode == Resampling::Mode::nearest) return pick_nearest(how, axes, x, y);
  if (y.type() == DataType::str || contains(complex_types, y.type())) unsupported("interpolating ", name_of(y.type()));
  interpolate(call, how, axes, x, y);
}

}  // namespace onward
