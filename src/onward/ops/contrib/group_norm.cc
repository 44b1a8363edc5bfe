// GroupNorm, SkipGroupNorm: channels normalised in groups, the channel axis last or second, then scaled, shifted and perhaps through
// SiLU. The skipping one first adds another image (or one value for every channel) and a bias.
#include "onward/ops/contrib.h"
#include "onward/ops/normalise_rows.h"
#include "onward/ops/typed.h"
#include "onward/simd/math.h"

namespace onward::ops {
namespace {

struct GroupForm {
  int64_t batch, channels, pixels;
  bool last;                                              // the channel axis
  GroupForm(std::span<const int64_t> x, bool channels_last)
      : batch(x[0]), channels(channels_last ? x.back() : x[1]), pixels(channels_last ? product(x, 1, int64_t(x.size()) - 1) : product(x, 2, int64_t(x.size()))), last(channels_last) {}
  int64_t at(int64_t b, int64_t c, int64_t p) const { return last ? (b * pixels + p) * channels + c : (b * channels + c) * pixels + p; }
};

template <class Standard> struct GroupNormOf : Standard {
  static constexpr bool skips = std::is_same_v<Standard, contrib::SkipGroupNorm>;

  void prepare(const Preparation&) const {
    if (this->groups < 1) invalid("groups is ", this->groups, ", expected 1 or more");
    if (this->activation != 0 && this->activation != 1) invalid("activation is ", this->activation, ", expected 0 or 1");
  }
  void infer(Inference& io) const {
    const Dims& x = io.dims(0);
    if (x.size() < 3) invalid("expected an image, found shape ", shown(x));
    const int64_t channels = this->channels_last ? x.back() : x[1];
    if (!is_symbol(channels) && channels % this->groups != 0) invalid(channels, " channels in ", this->groups, " groups");
    if (!io.symbols) for (size_t i : {1, 2, 4})
      if (io.has(i) && io.dims(i) != Dims{channels}) invalid("input ", i, " has shape ", shown(io.dims(i)), " for ", channels, " channels");
    if constexpr (skips) if (!io.symbols && io.dims(3) != x && (product(io.dims(3), 0, int64_t(io.dims(3).size())) != x[0] * channels || io.dims(3)[0] != x[0]))
      invalid("a skip of shape ", shown(io.dims(3)), " for an input of shape ", shown(x));
    io.output(0, x);
    if constexpr (skips) io.output(1, io.type(0), x);
  }
  void run(Call& call) const {
    if (call.tensor(0).type() == DataType::f64) kernel<double>(call);
    else kernel<float>(call);
  }

 private:
  template <class C> void kernel(Call& call) const {
    const auto operand = [&](size_t i) { return call.has(i) ? as_type(call, call.tensor(i), type_of<C>) : Tensor(); };
    const Tensor x = operand(0), gamma = operand(1), beta = operand(2), skip = operand(3), bias = operand(4);
    const Tensor &y = call.output(0), to = y.type() == type_of<C> ? y : call.scratch(type_of<C>, y.dims());
    const GroupForm form(x.dims(), this->channels_last != 0);
    const Tensor sum = skips ? call.scratch(type_of<C>, x.dims()) : x;
    const int64_t each = form.channels / this->groups, n = each * form.pixels;
    call.context.parallel(form.batch * this->groups, 6.0 * double(n), [&](int64_t begin, int64_t end) {
      std::vector<C> row(static_cast<size_t>(n));
      for (int64_t g = begin; g < end; ++g) {
        const int64_t b = g / this->groups, first = g % this->groups * each;
        for (int64_t c = 0; c < each; ++c) for (int64_t p = 0; p < form.pixels; ++p) {
          const int64_t at = form.at(b, first + c, p);
          if (skips) {
            const C added = x.data<C>()[at] + skip.data<C>()[skip.size() == x.size() ? at : b * form.channels + first + c];
            sum.data<C>()[at] = bias ? added + bias.data<C>()[first + c] : added;
          }
          row[size_t(c * form.pixels + p)] = sum.data<C>()[at];
        }
        normalise(row.data(), row.data(), n, moments(row.data(), n, this->epsilon, true));
        for (int64_t c = 0; c < each; ++c) for (int64_t p = 0; p < form.pixels; ++p) {
          const C v = row[size_t(c * form.pixels + p)] * gamma.data<C>()[first + c] + beta.data<C>()[first + c];
          to.data<C>()[form.at(b, first + c, p)] = this->activation ? v / (1 + std::exp(-v)) : v;
        }
      }
    });
    store(to, y);
    if (skips && call.wants(1) && call.outputs[1].tensor()) store(sum, call.output(1));
  }
};

}  // namespace

Operators contrib_group_norm() {
  return {define<GroupNormOf<contrib::GroupNorm>>({.tolerance = 1e-5, .examples = {
              "float [[[1, 3]]], float [1, 2], float [0, 1]; groups=1, activation=0, epsilon=0.0 -> float [[[-1, 3]]]",
              "float [[[1, 3], [0, 4]]], float [1, 1], float [0, 0]; groups=2, activation=0, channels_last=0, epsilon=0.0 -> float [[[-1, 1], [-1, 1]]]"}}),
          define<GroupNormOf<contrib::SkipGroupNorm>>({.tolerance = 1e-5, .examples = {
              "float [[[1, 2]]], float [1, 2], float [0, 1], float [[0, 0]], float [0, 1]; groups=1, activation=0, epsilon=0.0 -> float [[[-1, 3]]], float [[[1, 3]]]"}})};
}

}  // namespace onward::ops
