#include "onward/ops/transposed_convolution.h"

namespace onward {
namespace {

// How far input positions are shifted for outputs of a remainder, under a tap that they see.
int64_t shift(const Window& v, int64_t remainder, int64_t tap) { return (remainder + v.before - tap * v.dilation) / v.stride; }
bool sees(const Window& v, int64_t remainder, int64_t tap) { return (remainder + v.before - tap * v.dilation) % v.stride == 0; }

// Zeros before and behind the input along an axis, so that every shifted position is inside.
struct Margin {
  int64_t before, size;
  explicit Margin(const Window& v) : before(0), size(0) {
    // Shifts lie between that of the last tap and that of the largest remainder without a tap.
    before = std::max<int64_t>(0, (((v.taps - 1) * v.dilation - v.before) + v.stride - 1) / v.stride);
    const int64_t reach = (v.in - 1 + v.before) / v.stride + 1;
    size = before + std::max(v.out, reach);
  }
};

// f(combination) for every combination of numbers below `limits`, in row-major order.
template <class F> void each_combination(const Dims& limits, F&& f) {
  Dims at(limits.size(), 0);
  if (count(limits) > 0) for (int64_t i = count(limits); i-- > 0;) {
    f(at);
    for (size_t axis = at.size(); axis-- > 0;) {
      if (++at[axis] < limits[axis]) break;
      at[axis] = 0;
    }
  }
}

}  // namespace

bool TransposedFilters::serves(std::span<const int64_t> x, const Windows& along) {
  double strides = 1, plane = 1, outputs = 1;
  for (const Window& v : along) strides *= double(v.stride), plane *= double(Margin(v).size), outputs *= double(v.in);
  const double image = double(product(x, 2, int64_t(x.size())));
  return strides <= 64 && image > 0 && plane <= 4 * image + 1024 && plane * strides <= 4 * outputs + 4096;
}

TransposedFilters::TransposedFilters(const Tensor& w, int64_t group, const Windows& along) : made_for_(along), type_(w.type()), group_(group), channels_(w.dims()[0] / group), filters_(w.dims()[1]) {
  Dims strides, taps;
  for (const Window& v : along) strides.push_back(v.stride), taps.push_back(v.taps);
  const int64_t all_taps = count(taps);
  each_combination(strides, [&](const Dims& remainders) {
    Part part{remainders, {}, nullptr, nullptr};
    std::vector<int64_t> flat;                            // numbers of the taps that it sees
    int64_t number = 0;
    each_combination(taps, [&](const Dims& tap) {
      bool seen = true;
      for (size_t i = 0; i < along.size(); ++i) seen = seen && sees(along[i], remainders[i], tap[i]);
      if (seen) part.taps.push_back(tap), flat.push_back(number);
      ++number;
    });
    const auto n = int64_t(flat.size());
    for_type<f32 | f64>(type_, [&]<class T>() {
      std::vector<T> own(size_t(group_ * filters_ * channels_ * n));
      for (int64_t g = 0; g < group_; ++g)
        for (int64_t f = 0; f < filters_; ++f)
          for (int64_t c = 0; c < channels_; ++c)
            for (int64_t t = 0; t < n; ++t) own[size_t(((g * filters_ + f) * channels_ + c) * n + t)] = w.data<T>()[((g * channels_ + c) * filters_ + f) * all_taps + flat[size_t(t)]];
      auto packed = std::make_shared<const PackedFilters<T>>(own.data(), group_, filters_, channels_ * n);
      if constexpr (std::is_same_v<T, float>) part.single = packed;
      else part.twice = packed;
    });
    parts_.push_back(std::move(part));
  });
}

bool TransposedFilters::fits(DataType type, const Windows& along) const {
  bool same = type == type_ && along.size() == made_for_.size();
  for (size_t i = 0; same && i < along.size(); ++i)
    same = along[i].stride == made_for_[i].stride && along[i].dilation == made_for_[i].dilation && along[i].before == made_for_[i].before && along[i].taps == made_for_[i].taps;
  return same;
}

template <class T> void TransposedFilters::run(const RunContext& context, std::span<const int64_t> x_dims, const T* x, const Windows& along, const T* bias, T* y) const {
  constexpr int64_t together = PackedFilters<T>::together;
  std::vector<Margin> margins;
  Dims pitch(along.size(), 1), x_inner, outputs;
  int64_t plane = 1, image = 1, size = 1;
  for (const Window& v : along) margins.emplace_back(v), image *= v.out, size *= v.in, x_inner.push_back(v.out), outputs.push_back(v.in);
  for (size_t i = along.size(); i-- > 0; plane *= margins[i].size) pitch[i] = plane;
  plane = (plane + 15) / 16 * 16, plane += plane / 16 % 2 ? 0 : 16;            // an odd number of cache lines
  const Tensor padded(type_of<T>, {channels_ * plane + together}, context.budget), sums(type_of<T>, {filters_ * size}, context.budget);
  std::fill_n(padded.data<T>(), padded.size(), T(0));
  const int64_t row = along.back().out;                   // of x
  Dims leading(x_inner.begin(), x_inner.end() - 1);

  for (int64_t k = 0; k < x_dims[0] * group_; ++k) {      // images times groups
    context.check();
    for (int64_t c = 0; c < channels_; ++c) {
      const T* from = x + (k * channels_ + c) * image;
      T* const to = padded.data<T>() + c * plane;
      each_combination(leading, [&](const Dims& at) {
        int64_t offset = margins.back().before;
        for (size_t i = 0; i < at.size(); ++i) offset += (at[i] + margins[i].before) * pitch[i];
        std::copy_n(from, row, to + offset), from += row;
      });
    }
    T* const y_group = y + k * filters_ * size;
    const T* const own_bias = bias ? bias + k % group_ * filters_ : nullptr;
    for (const Part& part : parts_) {
      Dims n;                                             // outputs of these remainders along each axis
      for (size_t i = 0; i < along.size(); ++i) n.push_back((along[i].in - part.remainders[i] + along[i].stride - 1) / along[i].stride);
      if (count(n) <= 0) continue;
      std::vector<int64_t> offsets, rows;
      for (int64_t c = 0; c < channels_; ++c)
        for (const Dims& tap : part.taps) {
          int64_t at = c * plane;
          for (size_t i = 0; i < along.size(); ++i) at += (shift(along[i], part.remainders[i], tap[i]) + margins[i].before) * pitch[i];
          offsets.push_back(at);
        }
      each_combination(Dims(n.begin(), n.end() - 1), [&](const Dims& at) {
        int64_t first = 0;
        for (size_t i = 0; i < at.size(); ++i) first += at[i] * pitch[i];
        rows.push_back(first);
      });
      const int64_t length = n.back(), positions = rows.back() + length, blocks = (positions + together - 1) / together, step = along.back().stride;
      const bool whole = parts_.size() == 1;
      T* const to = whole ? y_group : sums.data<T>();
      const typename PackedFilters<T>::Slide slide{padded.data<T>(), offsets, rows, length, own_bias, to, positions, true};
      context.parallel(blocks, 0.02 * double(together * filters_) * double(offsets.size() + 1), [&](int64_t begin, int64_t end) {
        if constexpr (std::is_same_v<T, float>) part.single->run(slide, k % group_, begin * together, std::min(positions, end * together));
        else part.twice->run(slide, k % group_, begin * together, std::min(positions, end * together));
      });
      if (whole) continue;
      const T* from = sums.data<T>();
      for (int64_t f = 0; f < filters_; ++f)
        each_combination(Dims(n.begin(), n.end() - 1), [&](const Dims& at) {
          int64_t offset = part.remainders.back(), inner = along.back().in;
          for (size_t i = at.size(); i-- > 0; inner *= along[i].in) offset += (at[i] * along[i].stride + part.remainders[i]) * inner;
          T* out = y_group + f * size + offset;
          for (int64_t i = 0; i < length; ++i) out[i * step] = *from++;
        });
    }
  }
}

template void TransposedFilters::run(const RunContext&, std::span<const int64_t>, const float*, const Windows&, const float*, float*) const;
template void TransposedFilters::run(const RunContext&, std::span<const int64_t>, const double*, const Windows&, const double*, double*) const;

}  // namespace onward
