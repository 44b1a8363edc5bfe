#include "onward/ops/convolution.h"

#include "onward/ops/matrix_product.h"

namespace onward {

void Convolution::check() const {
  check_sliding(sliding);
  if (group < 1) invalid("group is ", group, ", expected 1 or more");
}

Dims Convolution::output(const Dims& x, const Dims& w, Symbols* symbols) const {
  if (x.size() < 3 || x.size() != w.size()) invalid("expected input and weights of one rank above 2, found ", shown(x), " and ", shown(w));
  if (w[0] >= 0 && w[0] % group != 0) invalid(w[0], " filters in ", group, " groups");
  if (x[1] >= 0 && w[1] >= 0 && (x[1] % group != 0 || x[1] / group != w[1])) invalid("input has ", x[1], " channels in ", group, " groups, weights expect ", w[1], " in each");
  Dims out{x[0], w[0]};
  for (const Window& v : windows(sliding, x, std::span<const int64_t>(w).subspan(2), symbols)) out.push_back(v.out);
  return out;
}

template <class T> void Convolution::run(const RunContext& context, std::span<const int64_t> x, const T* data, std::span<const int64_t> w, const T* weights, T* y) const {
  const Windows along = windows(sliding, x, w.subspan(2));
  const int64_t channels = w[1], filters = w[0] / group, taps = product(w, 2, int64_t(w.size())), image = product(x, 2, int64_t(x.size()));
  int64_t pixels = 1;
  for (const Window& v : along) pixels *= v.out;
  if (pixels == 0 || filters == 0) return;
  context.parallel(x[0] * group, 0.05 * double(filters * pixels) * double(channels * taps), [&](int64_t begin, int64_t end) {
    const Tensor columns(type_of<T>, {channels, taps, pixels}, context.budget);
    for (int64_t k = begin; k < end; ++k) {               // images times groups
      const T* w_group = weights + k % group * filters * channels * taps;
      for (int64_t c = 0; c < channels; ++c) image_to_columns(data + (k * channels + c) * image, along, columns.data<T>() + c * taps * pixels);
      matrix_product<T>(w_group, columns.data<T>(), y + k * filters * pixels, filters, pixels, channels * taps);
    }
  });
}

template void Convolution::run(const RunContext&, std::span<const int64_t>, const float*, std::span<const int64_t>, const float*, float*) const;
template void Convolution::run(const RunContext&, std::span<const int64_t>, const double*, std::span<const int64_t>, const double*, double*) const;
template void Convolution::run(const RunContext&, std::span<const int64_t>, const int32_t*, std::span<const int64_t>, const int32_t*, int32_t*) const;

}  // namespace onward
