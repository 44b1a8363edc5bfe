// LayerNormalization, RMSNormalization, GroupNormalization, InstanceNormalization: rows brought to mean 0 (not RMS) and variance 1, then
// scaled and shifted. Mean and variance are summed in double, which is at least what any stash_type asks for.
#include "onward/ops/broadcast.h"
#include "onward/ops/convert.h"
#include "onward/ops/normalise_rows.h"

namespace onward::ops {
namespace {

// y = y * scale + bias, both broadcast to y; the bias may be missing.
template <class T> void scale_and_shift(const Out<T>& y, const In<T>& scale, const In<T>& bias) {
  const std::span<const int64_t> operands[] = {scale.dims, bias ? bias.dims : scale.dims};
  const Rows rows(y.dims, operands);
  const int64_t step = rows.advances(0), bias_step = rows.advances(1);
  if (y.size) rows.each([&](int64_t at, std::span<const int64_t> from) {
    for (int64_t i = 0; i < rows.length(); ++i) y[at + i] = T(y[at + i] * scale[from[0] + i * step] + (bias ? bias[from[1] + i * bias_step] : T(0)));
  });
}

// Whether v has one element for each of a row, the axes of x from `at` on: then rows are scaled as they are normalised.
bool by_row(std::span<const int64_t> v, std::span<const int64_t> x, int64_t at) { return std::equal(v.begin(), v.end(), x.begin() + at, x.end()); }

void check_broadcast(Inference& io, size_t i) {
  if (io.has(i) && io.inputs[i].dims && !io.symbols && broadcast(io.dims(0), io.dims(i)) != io.dims(0)) invalid("input ", i, " of shape ", shown(io.dims(i)), " does not broadcast to ", shown(io.dims(0)));
}

struct LayerNormalization : standard::LayerNormalization {
  void prepare(const Preparation&) const {
    if (stash_type != 1 && stash_type != 10 && stash_type != 11 && stash_type != 16) unsupported("stash_type ", stash_type);
  }
  void infer(Inference& io) const {
    Dims rows = io.dims(0);
    std::fill(rows.begin() + axis_of(axis, int64_t(rows.size())), rows.end(), 1);
    check_broadcast(io, 1), check_broadcast(io, 2);
    io.output(0, io.dims(0)), io.output(1, DataType(stash_type), rows), io.output(2, DataType(stash_type), rows);
  }
  void run(Call& call) const {
    const DataType type = call.tensor(0).type();
    if (type == DataType::f64) kernel<double>(call);
    else if (type == DataType::f32) kernel<float>(call);
    else detail::run_as_float(call, type, [&](Call& as_float) { kernel<float>(as_float); });
  }

 private:
  template <class T> void kernel(Call& call) const {
    detail::Binder binder{call};
    const auto x = binder.take(detail::Binder::As<In<T>>{}), scale = binder.take(detail::Binder::As<In<T>>{}), bias = binder.take(detail::Binder::As<In<T>>{});
    const auto y = binder.take(detail::Binder::As<Out<T>>{});
    const int64_t at = axis_of(axis, x.rank()), outer = product(x.dims, 0, at), n = product(x.dims, at, x.rank());
    std::vector<double> mean(static_cast<size_t>(outer)), inverse(static_cast<size_t>(outer));
    const bool at_once = by_row(scale.dims, x.dims, at) && (!bias || by_row(bias.dims, x.dims, at));
    call.context.parallel(outer, 3.0 * double(n), [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) {
        const Moments m = moments(x.data + row * n, n, epsilon, true);
        normalise(x.data + row * n, y.data + row * n, n, m, at_once ? scale.data : nullptr, at_once && bias ? bias.data : nullptr);
        mean[size_t(row)] = m.mean, inverse[size_t(row)] = m.inverse;
      }
    });
    if (!at_once) scale_and_shift(y, scale, bias);
    const std::vector<double>* lists[] = {&mean, &inverse};
    for (size_t k = 0; k < 2; ++k)
      if (const Tensor* out = call.wants(k + 1) ? call.outputs[k + 1].tensor() : nullptr) convert(DataType::f64, lists[k]->data(), out->type(), out->raw(), outer);
  }
};

struct RMSNormalization : standard::RMSNormalization {
  void infer(Inference& io) const {
    axis_of(axis, int64_t(io.dims(0).size()));
    check_broadcast(io, 1);
    io.output(0, io.dims(0));
  }
  void run(Call& call) const {
    const Tensor &x = call.tensor(0), &scale = call.tensor(1), &y = call.output(0);
    const int64_t at = axis_of(axis, x.rank()), outer = product(x.dims(), 0, at), n = product(x.dims(), at, x.rank());
    const auto as = [&]<class T>(const Tensor& from) {
      Tensor out = from;
      if (from.type() != type_of<T>) out = call.scratch(type_of<T>, from.dims()), convert(from.type(), from.raw(), type_of<T>, out.raw(), from.size());
      return out;
    };
    const auto kernel = [&]<class T>() {
      const Tensor from = as.template operator()<T>(x), factor = as.template operator()<T>(scale);
      const Tensor to = y.type() == type_of<T> ? y : call.scratch(type_of<T>, y.dims());
      const bool at_once = by_row(factor.dims(), x.dims(), at);
      call.context.parallel(outer, 2.0 * double(n), [&](int64_t begin, int64_t end) {
        for (int64_t row = begin; row < end; ++row)
          normalise(from.data<T>() + row * n, to.data<T>() + row * n, n, moments(from.data<T>() + row * n, n, epsilon, false), at_once ? factor.data<T>() : nullptr);
      });
      if (!at_once) scale_and_shift<T>({{to.data<T>(), to.dims(), to.size(), true}}, {{factor.data<T>(), factor.dims(), factor.size(), true}}, {});
      if (y.type() != type_of<T>) convert(type_of<T>, to.raw(), y.type(), y.raw(), y.size());
    };
    if (x.type() == DataType::f64) kernel.template operator()<double>();
    else kernel.template operator()<float>();
  }
};

// Groups of channels of one batch entry; scale and bias per channel, or (before opset 21) per group.
template <class T> void by_group(const RunContext& context, In<T> x, In<T> scale, In<T> bias, Out<T> y, int64_t groups, double epsilon) {
  const int64_t channels = x.dims[1], inner = product(x.dims, 2, x.rank());
  for (const In<T>* v : {&scale, &bias}) if (v->size != channels && v->size != groups) invalid("scale or bias has ", v->size, " elements for ", channels, " channels");
  const int64_t each = channels / groups, n = each * inner;
  const auto of = [&](const In<T>& v, int64_t channel) { return v[v.size == channels ? channel : channel / each]; };
  context.parallel(x.dims[0] * groups, 3.0 * double(n), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const Moments m = moments(x.data + row * n, n, epsilon, true);
      for (int64_t c = 0; c < each; ++c) {
        const int64_t channel = row % groups * each + c, at = row * n + c * inner;
        simd::run<NormaliseWhole<T>, T>(x.data + at, y.data + at, inner, &m, of(scale, channel), of(bias, channel));
      }
    }
  });
}

void infer_channels(Inference& io) {
  if (io.dims(0).size() < 2) invalid("expected a batch axis and a channel axis, found shape ", shown(io.dims(0)));
  io.output(0, io.dims(0));
}

struct GroupNormalization : standard::GroupNormalization {
  void prepare(const Preparation&) const { if (num_groups < 1) invalid("num_groups is ", num_groups, ", expected 1 or more"); }
  void infer(Inference& io) const {
    infer_channels(io);
    if (const int64_t channels = io.dims(0)[1]; !is_symbol(channels) && channels % num_groups != 0) invalid(channels, " channels in ", num_groups, " groups");
  }
  template <class T> void run(const RunContext& context, In<T> x, In<T> scale, In<T> bias, Out<T> y) const { by_group(context, x, scale, bias, y, num_groups, epsilon); }
};

struct InstanceNormalization : standard::InstanceNormalization {
  void infer(Inference& io) const { infer_channels(io); }
  template <class T> void run(const RunContext& context, In<T> x, In<T> scale, In<T> bias, Out<T> y) const {
    if (y.size) by_group(context, x, scale, bias, y, x.dims[1], epsilon);
  }
};

}  // namespace

Operators nn_normalization() {
  return {
      define<LayerNormalization>({.tolerance = 1e-5, .examples = {"float [[1, 3]], float [2, 2], float [1, 1]; epsilon=0.0 -> float [[-1, 3]], float [[2]], float [[1]]"}}),
      define<RMSNormalization>({.tolerance = 1e-5, .examples = {"float [[3, -3]], float [1, 2]; epsilon=0.0 -> float [[1, -2]]"}}),
      define<GroupNormalization, computed(GroupNormalization::T)>({.tolerance = 1e-5, .examples = {"float [[[1], [3]]], float [1, 2], float [0, 0]; num_groups=1, epsilon=0.0 -> float [[[-1], [2]]]"}}),
      define<InstanceNormalization, computed(InstanceNormalization::T)>({.tolerance = 1e-5, .examples = {"float [[[1, 3]]], float [2], float [1]; epsilon=0.0 -> float [[[-1, 3]]]"}}),
  };
}

}  // namespace onward::ops
