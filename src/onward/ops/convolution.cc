// Floats slide over a copy of the input that has its padding in it: one plane for every remainder of positions by the stride, so that
// each tap reads its plane with stride 1. Where planes would be mostly padding, and for integers, patches become columns of a product.
#include "onward/ops/convolution.h"

#include <numeric>

#include "onward/ops/matrix_product.h"

namespace onward {

ConvolutionWeights::ConvolutionWeights(const Tensor& w, int64_t group) {
  if (w.rank() < 3 || w.size() == 0 || group < 1 || w.dims()[0] % group != 0) return;
  const int64_t filters = w.dims()[0] / group, k = w.size() / w.dims()[0];
  if (w.type() == DataType::f32) single_ = std::make_shared<PackedFilters<float>>(w.data<float>(), group, filters, k);
  if (w.type() == DataType::f64) double_ = std::make_shared<PackedFilters<double>>(w.data<double>(), group, filters, k);
}

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

namespace {

struct Shape {
  int64_t images, group, channels, filters, taps, image, pixels;        // channels and filters of a group
  Shape(std::span<const int64_t> x, std::span<const int64_t> w, int64_t group, const Windows& along)
      : images(x[0]), group(group), channels(w[1]), filters(w[0] / group), taps(product(w, 2, int64_t(w.size()))), image(product(x, 2, int64_t(x.size()))), pixels(1) {
    for (const Window& v : along) pixels *= v.out;
  }
};

template <class T> void by_columns(const RunContext& context, const Shape& s, const Windows& along, const T* x, const T* w, const T* bias, T* y) {
  context.parallel(s.images * s.group, 0.05 * double(s.filters * s.pixels) * double(s.channels * s.taps), [&](int64_t begin, int64_t end) {
    const Tensor columns(type_of<T>, {s.channels, s.taps, s.pixels}, context.budget);
    for (int64_t k = begin; k < end; ++k) {               // images times groups
      const T* w_group = w + k % s.group * s.filters * s.channels * s.taps;
      for (int64_t c = 0; c < s.channels; ++c) image_to_columns(x + (k * s.channels + c) * s.image, along, columns.data<T>() + c * s.taps * s.pixels);
      T* const to = y + k * s.filters * s.pixels;
      matrix_product<T>(w_group, columns.data<T>(), to, s.filters, s.pixels, s.channels * s.taps);
      if (bias) for (int64_t f = 0; f < s.filters; ++f)
        for (int64_t i = 0; i < s.pixels; ++i) to[f * s.pixels + i] += bias[k % s.group * s.filters + f];
    }
  });
}

// Where the elements of a padded copy stand: in planes, one for each remainder (of every axis) that a tap needs.
class Planes {
 public:
  explicit Planes(const Windows& along) : along_(along) {
    for (const Window& v : along) {
      // Remainders come again after as many taps as the stride has without what it shares with the dilation.
      axes_.push_back({v.out + reach(v), remainders_of(v)});
      plane_ *= axes_.back().size, planes_ *= axes_.back().remainders;
    }
    // An odd number of cache lines, so that the planes of many channels do not meet in one place of a cache.
    const int64_t line = 16;
    if (!as_it_is()) plane_ = (plane_ + line - 1) / line * line, plane_ += plane_ / line % 2 ? 0 : line;
    length_ = along.back().out;
    size_t row = along.size() - 1;                        // axes that are read whole join the row
    for (; row > 0 && axes_[row].size == along[row].out; --row) length_ *= along[row - 1].out;
    rows_ = {0};
    for (size_t i = 0; i < row; ++i) {
      std::vector<int64_t> more;
      for (int64_t first : rows_) for (int64_t k = 0; k < along[i].out; ++k) more.push_back(first + k * pitch(i));
      rows_ = std::move(more);
    }
  }

  int64_t channel() const { return plane_ * planes_; }    // elements
  int64_t length() const { return length_; }
  const std::vector<int64_t>& rows() const { return rows_; }
  int64_t positions() const { return rows_.back() + length_; }
  // Elements of a plane and of all of them, before anything is allocated.
  static std::pair<double, double> sizes(const Windows& along) {
    double plane = 1, all = 1;
    for (const Window& v : along) plane *= double(v.out + reach(v)), all *= double(remainders_of(v));
    return {plane, plane * all};
  }
  // The image itself is its one plane.
  bool as_it_is() const {
    for (size_t i = 0; i < along_.size(); ++i) if (along_[i].stride != 1 || along_[i].before != 0 || axes_[i].size != along_[i].in) return false;
    return true;
  }

  std::vector<int64_t> offsets(int64_t channels) const {  // of every channel's taps
    std::vector<int64_t> taps = {0};
    int64_t planes = planes_;
    for (size_t i = 0; i < along_.size(); ++i) {
      const Window& v = along_[i];
      planes /= axes_[i].remainders;
      std::vector<int64_t> more;
      for (int64_t before : taps) for (int64_t tap = 0; tap < v.taps; ++tap) {
        more.push_back(before + tap % axes_[i].remainders * planes * plane_ + tap * v.dilation / v.stride * pitch(i));
      }
      taps = std::move(more);
    }
    std::vector<int64_t> out;
    out.reserve(taps.size() * size_t(channels));
    for (int64_t c = 0; c < channels; ++c) for (int64_t t : taps) out.push_back(c * channel() + t);
    return out;
  }

  // What lies in the image; the padding, zeros, stands in `to` already.
  template <class T> void copy(const T* image, T* to) const {
    std::vector<int64_t> remainders(along_.size());
    for (int64_t p = 0; p < planes_; ++p, to += plane_) {
      int64_t rest = p;
      for (size_t i = along_.size(); i-- > 0; rest /= axes_[i].remainders) remainders[i] = rest % axes_[i].remainders * along_[i].dilation % along_[i].stride;
      fill(image, 0, remainders, to);
    }
  }

 private:
  struct Axis {
    int64_t size, remainders;                             // of a plane; how many different ones
  };
  static int64_t reach(const Window& v) { return (v.taps - 1) * v.dilation / v.stride; }
  static int64_t remainders_of(const Window& v) { return std::min(v.taps, v.stride / std::gcd(v.stride, v.dilation)); }
  int64_t pitch(size_t axis) const {
    int64_t n = 1;
    for (size_t i = axis + 1; i < axes_.size(); ++i) n *= axes_[i].size;
    return n;
  }
  template <class T> void fill(const T* image, size_t axis, const std::vector<int64_t>& remainders, T* to) const {
    const Window& v = along_[axis];
    const int64_t size = axes_[axis].size, begin = remainders[axis] - v.before;
    // Elements [first, last) of this axis lie inside the image.
    const int64_t first = std::clamp<int64_t>(begin < 0 ? (-begin + v.stride - 1) / v.stride : 0, 0, size), last = std::clamp<int64_t>(v.in > begin ? (v.in - begin - 1) / v.stride + 1 : 0, first, size);
    if (axis + 1 < axes_.size()) {
      const int64_t each = pitch(axis);
      int64_t inner = 1;
      for (size_t i = axis + 1; i < along_.size(); ++i) inner *= along_[i].in;
      for (int64_t k = first; k < last; ++k) fill(image + (begin + k * v.stride) * inner, axis + 1, remainders, to + k * each);
    } else if (v.stride == 1) {
      std::copy_n(image + begin + first, last - first, to + first);
    } else {
      for (int64_t k = first; k < last; ++k) to[k] = image[begin + k * v.stride];
    }
  }

  const Windows& along_;
  std::vector<Axis> axes_;
  int64_t plane_ = 1, planes_ = 1, length_ = 1;
  std::vector<int64_t> rows_;
};

// Whether few enough positions lie in the padding, and the planes are no more than the columns would be.
bool slides(const Shape& s, const Windows& along) {
  const auto [plane, planes] = Planes::sizes(along);
  return s.channels * s.taps > 0 && plane <= 2 * double(s.pixels) + 1024 && planes <= 4 * double(s.taps) * double(s.pixels) + 4096;
}

template <class T> void by_sliding(const RunContext& context, const Shape& s, const Windows& along, const T* x, const PackedFilters<T>& filters, const T* bias, T* y) {
  constexpr int64_t together = PackedFilters<T>::together;
  const Planes planes(along);
  const std::vector<int64_t>& rows = planes.rows();
  // Planes a large power of two apart would meet in one place of the cache; and no vector may be read behind the image.
  const bool as_it_is = planes.as_it_is() && planes.positions() >= together && s.image % 256 != 0;
  const auto offsets = planes.offsets(s.channels);
  const int64_t positions = planes.positions(), blocks = (positions + together - 1) / together;
  const auto one = [&](const RunContext& inner, int64_t k, T* copy) {          // of images times groups
    const T* from = x + k * s.channels * s.image;
    if (!as_it_is) inner.parallel(s.channels, 0.2 * double(planes.channel()), [&](int64_t begin, int64_t end) {
      for (int64_t c = begin; c < end; ++c) planes.copy(from + c * s.image, copy + c * planes.channel());
    });
    const int64_t g = k % s.group;
    const typename PackedFilters<T>::Slide slide{as_it_is ? from : copy, offsets, rows, planes.length(), bias ? bias + g * s.filters : nullptr, y + k * s.filters * s.pixels, positions, !as_it_is};
    inner.parallel(blocks, 0.02 * double(together * s.filters) * double(offsets.size()), [&](int64_t begin, int64_t end) { filters.run(slide, g, begin * together, std::min(positions, end * together)); });
  };
  const int64_t all = s.images * s.group, room = as_it_is ? 0 : s.channels * planes.channel() + together;
  const auto copies = [&] {
    Tensor t(type_of<T>, {room}, context.budget);
    std::fill_n(t.data<T>(), room, T(0));
    return t;
  };
  if (context.threads <= 1 || all < context.threads) {
    const Tensor copy = copies();
    for (int64_t k = 0; k < all; ++k) one(context, k, copy.data<T>());
  } else {
    context.parallel(all, 0.02 * double(positions * s.filters) * double(offsets.size()), [&](int64_t begin, int64_t end) {
      RunContext alone = context;
      alone.threads = 1;
      const Tensor copy = copies();
      for (int64_t k = begin; k < end; ++k) one(alone, k, copy.data<T>());
    });
  }
}

}  // namespace

template <class T> void Convolution::run(const RunContext& context, std::span<const int64_t> x, const T* data, std::span<const int64_t> w, const T* weights, const T* bias, T* y, const ConvolutionWeights& packed) const {
  const Windows along = windows(sliding, x, w.subspan(2));
  const Shape s(x, w, group, along);
  if (s.images == 0 || s.pixels == 0 || s.filters == 0) return;
  if constexpr (std::is_floating_point_v<T>) {
    if (slides(s, along)) {
      if (const auto* filters = packed.of<T>()) return by_sliding(context, s, along, data, *filters, bias, y);
      return by_sliding(context, s, along, data, PackedFilters<T>(weights, group, s.filters, s.channels * s.taps), bias, y);
    }
  }
  by_columns(context, s, along, data, weights, bias, y);
}

template void Convolution::run(const RunContext&, std::span<const int64_t>, const float*, std::span<const int64_t>, const float*, const float*, float*, const ConvolutionWeights&) const;
template void Convolution::run(const RunContext&, std::span<const int64_t>, const double*, std::span<const int64_t>, const double*, const double*, double*, const ConvolutionWeights&) const;
template void Convolution::run(const RunContext&, std::span<const int64_t>, const int32_t*, std::span<const int64_t>, const int32_t*, const int32_t*, int32_t*, const ConvolutionWeights&) const;

}  // namespace onward
