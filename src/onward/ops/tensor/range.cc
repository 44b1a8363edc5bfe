// Range: start, start + delta, … before limit. Real numbers are computed in double, so that long ranges do not drift.
#include <cmath>
#include "onward/ops/convert.h"
#include "onward/ops/operator.h"
#include "onward/simd/targets.h"

namespace onward::ops {
namespace {

template <class E> struct Whole {
  [[gnu::always_inline]] static void run(uint64_t start, uint64_t delta, E* to, int64_t n) {
    for (int64_t i = 0; i < n; ++i, start += delta) to[i] = E(start);
  }
};
template <class E> struct Real {
  [[gnu::always_inline]] static void run(double start, double delta, E* to, int64_t n) {
    constexpr int64_t block = 1 << 20;                    // within it an int counts, which every instruction set can make a double
    for (int64_t first = 0; first < n; first += block)
      for (int32_t i = 0, end = int32_t(std::min(block, n - first)); i < end; ++i) to[first + i] = E(compute_t<E>(start + (double(first) + double(i)) * delta));
  }
};

struct Range : standard::Range {
  void infer(Inference& io) const {
    const Tensor *start = io.value(0), *limit = io.value(1), *delta = io.value(2);
    if (start && limit && delta) return io.output(0, {length(*start, *limit, *delta)});
    const auto from = io.sizes(0), to = io.sizes(1), by = io.sizes(2);
    const bool counts = io.symbols && from && to && by && from->size() == 1 && to->size() == 1 && by->size() == 1 && !is_symbol((*by)[0]) && (*by)[0] > 0;
    if (!counts) return io.output(0, {io.unknown()});
    const int64_t reach = io.subtract((*to)[0], (*from)[0]);
    io.output(0, {io.may_be_negative(reach) ? io.unknown() : io.divide_up(io.symbols->larger(reach, 0), (*by)[0])});
  }

  void run(Call& call) const {
    const Tensor& y = call.output(0);
    for_type<T.types>(y.type(), [&]<class E>() {
      E* to = y.data<E>();
      if constexpr (std::is_integral_v<E>) {
        const auto start = uint64_t(*call.tensor(0).data<E>()), delta = uint64_t(*call.tensor(2).data<E>());
        simd::run<Whole<E>, E>(start, delta, to, y.size());
      } else {
        simd::run<Real<E>, compute_t<E>>(real(call.tensor(0)), real(call.tensor(2)), to, y.size());
      }
    });
  }

 private:
  static double real(const Tensor& t) {
    double out = 0;
    convert(t.type(), t.raw(), DataType::f64, &out, 1);
    return out;
  }

  static int64_t length(const Tensor& start, const Tensor& limit, const Tensor& delta) {
    for (const Tensor* t : {&start, &limit, &delta}) if (t->size() != 1 || t->type() != start.type()) invalid("start, limit and delta are ", shown(start), ", ", shown(limit), " and ", shown(delta), ", expected one number each, of one type");
    if (real(delta) == 0) invalid("delta is 0");
    constexpr double most = 4e18;
    double n = 0;
    const bool integers = for_type<i16 | i32 | i64>(start.type(), [&]<class E>() {
      const __int128 from = *start.data<E>(), to = *limit.data<E>(), by = *delta.data<E>();
      const __int128 reach = by > 0 ? to - from : from - to, step = by > 0 ? by : -by;
      n = reach <= 0 ? 0 : double((reach + step - 1) / step);       // exact below 2^53; no tensor is longer
    });
    if (!integers) n = std::ceil((real(limit) - real(start)) / real(delta));
    if (std::isnan(n) || n > most) fail(Code::limit_size, "a range of ", n, " elements");
    return std::max(int64_t(n), int64_t(0));
  }
};

}  // namespace

Operators tensor_range() {
  return {define<Range>({.examples = {"int64 3, int64 9, int64 3 -> int64 [3, 6]", "float 10, float 4, float -2.5 -> float [10, 7.5, 5]", "int32 0, int32 -5, int32 1 -> int32 []"}})};
}

}  // namespace onward::ops
