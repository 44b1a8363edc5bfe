// ConvTranspose: the gradient of a convolution, as convolutions, or as a product and columns added into the image. Col2Im: that last half.
// ConvTransposeWithDynamicPads, of ONNX Runtime: the same with pads as an input.
#include "onward/ops/contrib.h"
#include "onward/ops/matrix_product.h"
#include "onward/ops/transpose.h"
#include "onward/ops/transposed_convolution.h"
#include "onward/ops/typed.h"
#include "onward/ops/window.h"

namespace onward::ops {
namespace {

struct ConvTranspose : standard::ConvTranspose {
  std::shared_ptr<const TransposedFilters> filters;       // of constant weights, where the padding is known too

  void prepare(const Preparation& at) {
    check();
    const Tensor* w = at.input(1);
    if (!w || w->rank() < 3 || w->size() == 0 || !contains(f32 | f64, w->type()) || w->dims()[0] % group != 0 || !output_shape.empty() || auto_pad.starts_with("SAME")) return;
    const Dims x(w->dims().size(), 1);                    // of any size
    const Windows along = over_output(x, w->dims(), nullptr);
    if (TransposedFilters::serves(x, along)) filters = std::make_shared<const TransposedFilters>(*w, group, along);
  }
  void check() const {
    check_sliding(sliding(*this));
    if (group < 1) invalid("group is ", group, ", expected 1 or more");
    for (int64_t v : output_padding) if (v < 0 || v > 1 << 24) invalid("output_padding has ", v, ", expected 0 or more");
    for (int64_t v : output_shape) if (v < 0) invalid("output_shape has ", v, ", expected 0 or more");
  }

  // The windows slide over the output, and stand once for every input element.
  Windows over_output(std::span<const int64_t> x, std::span<const int64_t> w, Symbols* symbols) const {
    const size_t n = x.size() - 2;
    const auto fits = [&](const std::vector<int64_t>& all, size_t each) { return all.empty() || all.size() == n * each; };
    if (!fits(strides, 1) || !fits(dilations, 1) || !fits(pads, 2) || !fits(output_padding, 1) || !(fits(output_shape, 1) || output_shape.size() == n + 2))
      invalid("strides, dilations, pads, output_padding or output_shape do not fit ", n, " spatial axes");
    Windows out;
    for (size_t i = 0; i < n; ++i) {
      Window v{0, x[i + 2], w[i + 2], strides.empty() ? 1 : strides[i], dilations.empty() ? 1 : dilations[i], 0};
      if (is_symbol(v.out) || is_symbol(v.taps)) {
        v.in = symbolic_size(i, n, v, *symbols);
        out.push_back(v);
        continue;
      }
      if (v.taps < 1 || v.taps > 1 << 24 || v.out >= int64_t(1) << 31) fail(Code::limit_size, "a kernel of ", v.taps, " over ", v.out, " elements");
      const int64_t whole = v.stride * (v.out - 1) + (output_padding.empty() ? 0 : output_padding[i]) + (v.taps - 1) * v.dilation + 1;
      const bool same = auto_pad.starts_with("SAME");
      if (!output_shape.empty() || same) {
        v.in = !output_shape.empty() ? output_shape[output_shape.size() - n + i] : v.out * v.stride;
        const int64_t padding = std::max(whole - v.in, int64_t(0));
        v.before = auto_pad == "SAME_UPPER" ? padding / 2 : padding - padding / 2;
      } else {
        v.before = pads.empty() || auto_pad == "VALID" ? 0 : pads[i];
        v.in = std::max(whole - v.before - (pads.empty() || auto_pad == "VALID" ? 0 : pads[i + n]), int64_t(0));
      }
      out.push_back(v);
    }
    return out;
  }

  int64_t symbolic_size(size_t i, size_t n, const Window& v, Symbols& s) const {
    if (!output_shape.empty()) return output_shape[output_shape.size() - n + i];
    if (auto_pad.starts_with("SAME")) return s.multiply(v.out, v.stride);
    const int64_t padding = pads.empty() || auto_pad == "VALID" ? 0 : pads[i] + pads[i + n];
    const int64_t reach = s.add(s.multiply(s.subtract(v.taps, 1), v.dilation), 1);
    return s.add(s.add(s.multiply(s.subtract(v.out, 1), v.stride), reach), (output_padding.empty() ? 0 : output_padding[i]) - padding);
  }

  void infer(Inference& io) const {
    const Dims &x = io.dims(0), &w = io.dims(1);
    if (x.size() < 3 || x.size() != w.size()) invalid("expected input and weights of one rank above 2, found ", shown(x), " and ", shown(w));
    if (!is_symbol(x[1]) && !is_symbol(w[0]) && (x[1] != w[0] || x[1] % group != 0)) invalid("input has ", x[1], " channels in ", group, " groups, weights expect ", w[0]);
    Dims out{x[0], io.multiply(w[1], group)};
    for (const Window& v : over_output(x, w, io.symbols)) {
      if (v.in == 0 && output_shape.empty()) invalid("pads take away all that the input makes of spatial axis ", out.size() - 2, ", expected at least one element left");
      out.push_back(v.in);
    }
    io.output(0, out);
  }

  template <class T> void run(const RunContext& context, In<T> x, In<T> w, In<T> bias, Out<T> y) const {
    const Windows along = over_output(x.dims, w.dims, nullptr);
    const int64_t channels = x.dims[1] / group, filters_each = w.dims[1], taps = product(w.dims, 2, w.rank());
    const int64_t pixels = product(x.dims, 2, x.rank()), image = product(y.dims, 2, y.rank());
    if (bias && bias.size != filters_each * group) invalid("a bias of ", bias.size, " elements for ", filters_each * group, " filters");
    if (y.size == 0) return;
    if constexpr (std::is_floating_point_v<T>)
      if (w.size && x.size && TransposedFilters::serves(x.dims, along)) {
        const bool kept = filters && filters->fits(type_of<T>, along);
        const auto own = kept ? filters : std::make_shared<const TransposedFilters>(Tensor::view(type_of<T>, w.dims, w.data), group, along);
        return own->run(context, x.dims, x.data, along, bias ? bias.data : nullptr, y.data);
      }
    for (int64_t row = 0; row < y.dims[0] * y.dims[1]; ++row) std::fill_n(y.data + row * image, image, bias ? bias[row % (filters_each * group)] : T(0));
    if (x.size == 0) return;
    const Tensor columns(type_of<T>, {filters_each, taps, pixels}, context.budget);
    for (int64_t k = 0; k < x.dims[0] * group; ++k) {     // images times groups
      const int64_t g = k % group;
      const Tensor weights = transposed(Tensor::view(type_of<T>, {channels, filters_each * taps}, w.data + g * channels * filters_each * taps), {1, 0});
      matrix_product<T>(weights.data<T>(), x.data + k * channels * pixels, columns.data<T>(), filters_each * taps, pixels, channels);
      for (int64_t f = 0; f < filters_each; ++f) columns_to_image(columns.data<T>() + f * taps * pixels, along, y.data + (k * filters_each + f) * image);
    }
  }
};

struct ConvTransposeWithDynamicPads : contrib::ConvTransposeWithDynamicPads {
  void prepare(const Preparation&) const { with({}).check(); }
  void infer(Inference& io) const {
    if (!io.has(2)) return with({}).infer(io);
    if (const auto pads = io.values(2)) with(*pads).infer(io);
  }
  template <class T> void run(const RunContext& context, In<T> x, In<T> w, Integers pads, In<T> bias, Out<T> y) const { with(pads).run(context, x, w, bias, y); }

 private:
  ConvTranspose with(const Dims& pads) const {
    ConvTranspose op;
    op.auto_pad = auto_pad, op.strides = strides, op.dilations = dilations, op.output_padding = output_padding, op.kernel_shape = kernel_shape, op.group = group;
    op.pads.assign(pads.begin(), pads.end());
    check_sliding(sliding(op));                           // pads come with every run
    return op;
  }
};

struct Col2Im : standard::Col2Im {
  void prepare(const Preparation&) const { check_sliding({{}, strides, dilations, pads}); }

  void infer(Inference& io) const {
    const Dims& x = io.dims(0);
    if (x.size() != 3) invalid("expected three axes, found shape ", shown(x));
    const auto image = io.values(1), block = io.values(2);
    if (io.symbols && (!image || !block)) return io.output(0, symbolic(io, x));
    if (!image || !block) return;
    const Windows along = windows({*block, strides, dilations, pads}, *image, *block, nullptr, 0);
    int64_t taps = 1, positions = 1;
    for (const Window& v : along) taps = io.multiply(taps, v.taps), positions = io.multiply(positions, v.out);
    if ((!is_symbol(x[1]) && x[1] % taps != 0) || (!is_symbol(x[2]) && x[2] != positions)) invalid("columns of shape ", shown(x), " for blocks of ", taps, " at ", positions, " places");
    Dims out{x[0], io.divide(x[1], taps)};
    out.insert(out.end(), image->begin(), image->end());
    io.output(0, out);
  }
  static Dims symbolic(Inference& io, const Dims& x) {
    auto image = io.sizes(1);
    const auto block = io.sizes(2);
    if (!image && (io.dims(1).size() != 1 || is_symbol(io.dims(1)[0]) || io.dims(1)[0] > 8)) throw NothingKnown{};
    if (!image) image = io.unknown_dims(size_t(io.dims(1)[0]));
    Dims out{x[0], block ? io.divide(x[1], io.product(*block)) : io.unknown()};
    for (int64_t size : *image) out.push_back(io.size_of(size));
    return out;
  }
  void run(Call& call) const {
    const Tensor &x = call.tensor(0), &y = call.output(0);
    const auto image = integers(call.tensor(1)), block = integers(call.tensor(2));
    const Windows along = windows({block, strides, dilations, pads}, image, block, nullptr, 0);
    const int64_t rows = y.dims()[0] * y.dims()[1], size = count(image), step = rows ? x.size() / rows : 0;
    const auto fold = [&]<class T>(const T* from, T* to) {
      std::fill_n(to, rows * size, T(0));
      for (int64_t row = 0; row < rows; ++row) columns_to_image(from + row * step, along, to + row * size);
    };
    if (x.type() == DataType::f64) return fold(x.data<double>(), y.data<double>());
    if (x.type() == DataType::f32) return fold(x.data<float>(), y.data<float>());
    if (!contains(small_floats | i8 | i16 | i32 | u8 | u16 | u32, x.type())) unsupported("columns of ", name_of(x.type()));
    const Tensor wide(DataType::f64, y.dims(), call.context.budget), from = call.scratch(DataType::f64, x.dims());
    store(x, from), fold(from.data<double>(), wide.data<double>()), store(wide, y);
  }
};

}  // namespace

Operators nn_conv_transpose() {
  return {define<ConvTranspose, computed(ConvTranspose::T)>({.tolerance = 1e-5, .examples = {"float [[[1, 2]]], float [[[10, 1]]]; strides=[2] -> float [[[10, 1, 20, 2]]]",
                                                                                            "float [[[1, 2]]], float [[[10, 1]]], float [5] -> float [[[15, 26, 7]]]"}}),
          define<ConvTransposeWithDynamicPads, computed(ConvTransposeWithDynamicPads::T)>({.tolerance = 1e-5, .examples = {
              "float [[[1, 2]]], float [[[10, 1]]], int64 [1, 0]; strides=[2] -> float [[[1, 20, 2]]]"}}),
          define<Col2Im>({.examples = {"float [[[1, 2], [3, 4]]], int64 [3], int64 [2] -> float [[[1, 5, 4]]]"}})};
}

}  // namespace onward::ops
