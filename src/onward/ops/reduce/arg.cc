// ArgMax, ArgMin: where the largest or smallest element along an axis is; of equals the first, or the last if asked. NaN is
// the largest and the smallest, as in numpy.
#include <cstring>

#include "onward/ops/side_by_side.h"
#include "onward/simd/targets.h"

namespace onward::ops {
namespace {

// Of lines whose elements lie `lines` apart, beside each other: first what is best, then where it stands. Answers whether there may be a
// NaN, of which it knows nothing.
template <class T, bool largest, bool last> struct BestOfLines {
  using Index = std::conditional_t<sizeof(T) == 4, int32_t, int64_t>;
  typedef T V __attribute__((vector_size(32)));           // wider ones would fall into numbers where the processor has none
  typedef Index I __attribute__((vector_size(32)));
  static constexpr int64_t strip = 32 / sizeof(T);

  [[gnu::always_inline]] static void run(const T* x, int64_t n, int64_t lines, int64_t* y, bool* nan) {
    for (int64_t line = 0; line < lines; line += strip) some(x + line, n, lines, y + line, nan);
  }
  [[gnu::always_inline]] static void some(const T* x, int64_t n, int64_t lines, int64_t* y, bool* nan) {
    V top, v;
    std::memcpy(&top, x, sizeof top);
    V total = top;
    for (int64_t k = 1; k < n; ++k) {
      std::memcpy(&v, x + k * lines, sizeof v);
      top = (largest ? v > top : v < top) ? v : top;
      total = total + v;
    }
    I found = {};
    for (int64_t i = 0; i < n; ++i) {
      const int64_t k = last ? i : n - 1 - i;
      std::memcpy(&v, x + k * lines, sizeof v);
      found = v == top ? I{} + Index(k) : found;
    }
    const I odd = total != total;
    Index places[strip], any[strip];
    std::memcpy(places, &found, sizeof found), std::memcpy(any, &odd, sizeof odd);
    for (int64_t l = 0; l < strip; ++l) y[l] = places[l], *nan |= any[l] != 0;
  }
};

template <class Standard, bool largest> struct Arg : Standard {
  void infer(Inference& io) const {
    Dims out = io.dims(0);
    const auto at = size_t(axis_of(this->axis, int64_t(out.size())));
    if (out[at] == 0) invalid("axis ", this->axis, " of ", shown(out), " has no elements");
    if (this->keepdims) out[at] = 1;
    else out.erase(out.begin() + at);
    io.output(0, out);
  }

  template <class T> void run(const RunContext& context, In<T> x, Out<int64_t> y) const {
    const int64_t at = axis_of(this->axis, x.rank()), n = x.dims[size_t(at)], inner = product(x.dims, at + 1, x.rank());
    context.parallel(y.size, double(n), [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const T* lane = x.data + i / inner * n * inner + i % inner;
        y[i] = inner == 1 ? best(lane, n) : best(lane, n, inner);
      }
    });
  }
  LaneStep side_by_side(const LaneSite& site) const {
    const LaneValue& x = site.inputs[0];
    const int64_t rank = int64_t(x.dims.size()), at = axis_of(this->axis, rank);
    if (x.constant || at == 0) return {};
    const int64_t outer = product(x.dims, 1, at), n = x.dims[size_t(at)], lines = product(x.dims, at + 1, rank) * site.lanes;
    LaneStep step;
    for_type<f32 | f64>(x.type, [&]<class T>() {
      step = [this, outer, n, lines, from = x.at, to = site.output.at](char* block) {
        for (int64_t i = 0; i < outer; ++i) best_of_lines(reinterpret_cast<const T*>(block + from) + i * n * lines, n, lines, reinterpret_cast<int64_t*>(block + to) + i * lines);
      };
    });
    return step;
  }

 private:
  template <class T> void best_of_lines(const T* x, int64_t n, int64_t lines, int64_t* y) const {
    bool nan = false;
    if (this->select_last_index) simd::run<BestOfLines<T, largest, true>, T>(x, n, lines, y, &nan);
    else simd::run<BestOfLines<T, largest, false>, T>(x, n, lines, y, &nan);
    if (nan) for (int64_t l = 0; l < lines; ++l) y[l] = best(x + l, n, lines);
  }
  template <class T> int64_t best(const T* lane, int64_t n, int64_t step) const {
    int64_t found = 0;
    for (int64_t k = 1; k < n; ++k) {
      const T a = lane[k * step], b = lane[found * step];
      if (beats(a, b)) found = k;
    }
    return found;
  }
  // The same of neighbours, without jumps that depend on the elements: first what is best, then where it stands.
  template <class T> int64_t best(const T* lane, int64_t n) const {
    T top = lane[0];
    bool nan = false;
    for (int64_t k = 0; k < n; ++k) {
      top = (largest ? lane[k] > top : lane[k] < top) ? lane[k] : top;
      nan |= lane[k] != lane[k];
    }
    if (nan) return best(lane, n, 1);
    int64_t found = 0;
    if (this->select_last_index) for (int64_t k = 0; k < n; ++k) found = lane[k] == top ? k : found;
    else for (int64_t k = n; k-- > 0;) found = lane[k] == top ? k : found;
    return found;
  }
  template <class T> bool beats(T a, T b) const {
    if constexpr (std::is_floating_point_v<T>) if (a != a || b != b) return a != a && (b == b || this->select_last_index);
    return (largest ? b < a : a < b) || (this->select_last_index && a == b);
  }
};
using ArgMax = Arg<standard::ArgMax, true>;
using ArgMin = Arg<standard::ArgMin, false>;

}  // namespace

Operators reduce_arg() {
  return {define<ArgMax, computed(ArgMax::T)>({.examples = {"float [[1, 3, 3]]; axis=1, keepdims=0 -> int64 [1]", "float [[1, 3, 3]]; axis=1, select_last_index=1 -> int64 [[2]]",
                                                               "float [1, nan, nan, 9] -> int64 [1]"}}),
          define<ArgMin, computed(ArgMin::T)>({.examples = {"int8 [[2], [-1], [-1]] -> int64 [[1]]"}})};
}

LaneForms reduce_arg_lanes() { return {{"ArgMax", member_form<ArgMax>}, {"ArgMin", member_form<ArgMin>}}; }

}  // namespace onward::ops
