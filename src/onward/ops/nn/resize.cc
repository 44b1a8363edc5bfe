// Resize: axes grown or shrunk by scales or to sizes, by the nearest element, linear or cubic interpolation. Upsample: its older form.
#include <cmath>
#include "onward/ops/resize.h"
#include "onward/ops/typed.h"

namespace onward::ops {
namespace {

Resampling::Mode mode_of(const std::string& mode) {
  if (mode == "nearest") return Resampling::Mode::nearest;
  if (mode == "linear" || mode == "bilinear") return Resampling::Mode::linear;
  if (mode == "cubic") return Resampling::Mode::cubic;
  invalid("mode is '", mode, "', expected nearest, linear or cubic");
}

int64_t scaled(int64_t size, double factor) {
  const double out = std::floor(double(size) * factor);
  if (!(out >= 0 && out < 4e18)) fail(Code::limit_size, "a size of ", size, " times ", factor);
  return int64_t(out);
}

// The same of a size that may be a symbol: exact for factors such as 2 or 0.75.
int64_t grown(Inference& io, int64_t size, double factor) {
  if (!is_symbol(size)) return scaled(size, factor);
  for (int64_t part = 1; part <= 16; part *= 2)
    if (const double whole = factor * double(part); whole == std::floor(whole) && whole < 1e6) return io.divide(io.multiply(size, int64_t(whole)), part);
  return io.unknown();
}

struct Resize : standard::Resize {
  Resampling how;

  void prepare(const Preparation&) {
    how = {mode_of(mode), transformation_of(coordinate_transformation_mode), nearest_of(nearest_mode), cubic_coeff_a, extrapolation_value, antialias != 0, exclude_outside != 0};
    for (std::string_view known : {"stretch", "not_larger", "not_smaller"}) if (keep_aspect_ratio_policy == known) return;
    invalid("keep_aspect_ratio_policy is '", keep_aspect_ratio_policy, "', expected stretch, not_larger or not_smaller");
  }

  void infer(Inference& io) const {
    Dims out = io.dims(0);
    if (has_sizes(io)) {
      auto sizes = io.sizes(3);
      if (!sizes) return io.output(0, unknown(io, out));
      for (int64_t& size : *sizes) size = io.size_of(size);
      return io.output(0, by_sizes(io, out, *sizes));
    }
    const Tensor *scales = io.value(2), *roi = io.has(1) ? io.value(1) : nullptr;
    if (!scales || (how.crops() && io.has(1) && !roi)) return io.output(0, unknown(io, out));
    io.output(0, by_scales(io, out, as_doubles(*scales), region(out.size(), roi)));
  }

  void run(Call& call) const {
    const Tensor &x = call.tensor(0), &y = call.output(0);
    const auto roi = region(x.dims().size(), call.has(1) ? &call.tensor(1) : nullptr);
    const bool by_scale = !(call.has(3) && call.tensor(3).size() > 0);
    std::vector<double> scales;
    if (by_scale) scales = as_doubles(call.tensor(2));
    std::vector<Scaling> all;
    for (size_t i = 0; i < x.dims().size(); ++i) {
      const int64_t in = x.dims()[i], out = y.dims()[i];
      const int64_t named = place(i, x.dims().size());
      double scale = in ? double(out) / double(in) : 1;
      if (by_scale) scale = named >= 0 ? scales[size_t(named)] : 1;
      else if (keep_aspect_ratio_policy != "stretch" && named >= 0) scale = ratio(x.dims(), call);
      all.push_back({in, out, scale, roi[i].first, roi[i].second});
    }
    resample(call, how, all, x, y);
  }

 private:
  static bool has_sizes(Inference& io) { return io.has(3) && !(io.inputs[3].dims && *io.inputs[3].dims == Dims{0}); }

  // Where axis i stands among `axes`; -1: it is not to be resized.
  int64_t place(size_t i, size_t rank) const {
    if (axes.empty()) return int64_t(i);
    for (size_t k = 0; k < axes.size(); ++k) if (axis_of(axes[k], int64_t(rank)) == int64_t(i)) return int64_t(k);
    return -1;
  }
  size_t named(size_t rank) const { return axes.empty() ? rank : axes.size(); }

  std::vector<std::pair<double, double>> region(size_t rank, const Tensor* roi) const {
    std::vector<std::pair<double, double>> out(rank, {0.0, 1.0});
    if (!how.crops() || !roi) return out;
    const auto values = as_doubles(*roi);
    const size_t n = named(rank);
    if (values.size() != 2 * n) invalid("roi has ", values.size(), " elements for ", n, " axes");
    for (size_t i = 0; i < rank; ++i) if (const int64_t k = place(i, rank); k >= 0) out[i] = {values[size_t(k)], values[n + size_t(k)]};
    return out;
  }

  Dims unknown(Inference& io, Dims dims) const {
    for (size_t i = 0; i < dims.size(); ++i) if (place(i, dims.size()) >= 0) dims[i] = io.unknown();
    return dims;
  }

  Dims by_scales(Inference& io, Dims dims, const std::vector<double>& scales, const std::vector<std::pair<double, double>>& roi) const {
    if (scales.size() != named(dims.size())) invalid(scales.size(), " scales for ", named(dims.size()), " axes");
    for (size_t i = 0; i < dims.size(); ++i) {
      const int64_t k = place(i, dims.size());
      if (k < 0) continue;
      const double scale = scales[size_t(k)];
      if (!(scale > 0)) invalid("a scale of ", scale);
      dims[i] = grown(io, dims[i], scale * (roi[i].second - roi[i].first));
    }
    return dims;
  }

  Dims by_sizes(Inference& io, Dims dims, const Dims& sizes) const {
    if (sizes.size() != named(dims.size())) invalid(sizes.size(), " sizes for ", named(dims.size()), " axes");
    double ratio = 0;
    bool any = false;
    if (keep_aspect_ratio_policy != "stretch") for (size_t i = 0; i < dims.size(); ++i) if (const int64_t k = place(i, dims.size()); k >= 0) {
      if (is_symbol(dims[i]) || is_symbol(sizes[size_t(k)])) return unknown(io, dims);
      if (dims[i] == 0) invalid("an axis without elements has no aspect ratio");
      const double r = double(sizes[size_t(k)]) / double(dims[i]);
      ratio = !any ? r : keep_aspect_ratio_policy == "not_larger" ? std::min(ratio, r) : std::max(ratio, r), any = true;
    }
    for (size_t i = 0; i < dims.size(); ++i) if (const int64_t k = place(i, dims.size()); k >= 0) {
      const int64_t size = sizes[size_t(k)];
      if (size < 0 && !is_symbol(size)) invalid("a size of ", size);
      dims[i] = any ? scaled(1, std::floor(double(dims[i]) * ratio + 0.5)) : size;
    }
    return dims;
  }

  // By how much every axis grows where the aspect ratio is kept.
  double ratio(const Dims& dims, const Call& call) const {
    const auto sizes = integers(call.tensor(3));
    double out = 0;
    bool any = false;
    for (size_t i = 0; i < dims.size(); ++i) if (const int64_t k = place(i, dims.size()); k >= 0) {
      const double r = double(sizes[size_t(k)]) / double(dims[i]);
      out = !any ? r : keep_aspect_ratio_policy == "not_larger" ? std::min(out, r) : std::max(out, r), any = true;
    }
    return out;
  }
};

struct Upsample : standard::Upsample {
  Resampling how;

  void prepare(const Preparation&) { how = {mode_of(mode), Resampling::Transformation::asymmetric, Resampling::Nearest::floor}; }
  void infer(Inference& io) const {
    Dims out = io.dims(0);
    const Tensor* scales = io.value(1);
    const auto factors = scales ? as_doubles(*scales) : std::vector<double>();
    if (scales && factors.size() != out.size()) invalid(factors.size(), " scales for ", out.size(), " axes");
    for (size_t i = 0; i < out.size(); ++i) {
      if (scales && !(factors[i] >= 1)) invalid("a scale of ", factors[i], ", expected 1 or more");
      out[i] = scales ? grown(io, out[i], factors[i]) : io.unknown();
    }
    io.output(0, out);
  }
  void run(Call& call) const {
    const auto factors = as_doubles(call.tensor(1));
    std::vector<Scaling> all;
    for (size_t i = 0; i < factors.size(); ++i) all.push_back({call.tensor(0).dims()[i], call.output(0).dims()[i], factors[i]});
    resample(call, how, all, call.tensor(0), call.output(0));
  }
};

constexpr Upgrade scales_before_9{9, R"(
    factors = Constant(; value_floats=@scales)
    Y = Self(X, factors; mode=@mode))"};
constexpr Upgrade asymmetric_before_11{11, "Y = Self(X, , scales; mode=@mode, coordinate_transformation_mode=\"asymmetric\", nearest_mode=\"floor\")"};

}  // namespace

Operators nn_resize() {
  return {
      define<Resize>({.upgrades = {asymmetric_before_11}, .examples = {
          "float [[1, 2]], , float [1, 2] -> float [[1, 1, 2, 2]]", "float [0, 2], , , int64 [4]; mode=\"linear\" -> float [0, 0.5, 1.5, 2]",
          "string [\"a\", \"b\"], , , int64 [1]; mode=\"nearest\", nearest_mode=\"ceil\" -> string [\"b\"]"}}),
      define<Upsample>({.upgrades = {scales_before_9}, .examples = {"float [[1, 2]], float [2, 1] -> float [[1, 2], [1, 2]]"}}),
  };
}

}  // namespace onward::ops
