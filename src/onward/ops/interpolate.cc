// Resampling that mixes neighbours: one axis after another, in float, or in double for everything else.
#include <cmath>
#include <numeric>

#include "onward/ops/resize.h"
#include "onward/ops/typed.h"
#include "onward/simd/targets.h"

namespace onward {
namespace {

double triangle(double t) { return std::max(0.0, 1 - std::fabs(t)); }
double cubic(double t, double a) {
  t = std::fabs(t);
  if (t <= 1) return ((a + 2) * t - (a + 3)) * t * t + 1;
  if (t < 2) return ((a * t - 5 * a) * t + 8 * a) * t - 4 * a;
  return 0;
}

// Output i of an axis is the sum over k of weights[begin(i) + k] * x[first[i] + k]; weights that are zero at either end are left out.
template <class T> struct Mixing {
  int64_t in, out;
  std::vector<int64_t> first, ends;
  std::vector<T> weights;
  std::vector<bool> outside;                              // tf_crop_and_resize: these are to be the extrapolation value
  // The same where no output mixes more than two: an element that stands alone counts half, twice.
  std::vector<int32_t> left, right;
  std::vector<T> left_weight, right_weight;

  Mixing(const Resampling& how, const Scaling& a) : in(a.in), out(a.out) {
    std::vector<double> room;
    first.reserve(size_t(out)), ends.reserve(size_t(out)), weights.reserve(size_t(2 * out));
    for (int64_t i = 0; i < out; ++i) add(how, a, a.original(how.transformation, i), room);
    if (in < INT32_MAX) pair_up();
  }
  int64_t begin(int64_t i) const { return i ? ends[size_t(i - 1)] : 0; }
  int64_t count(int64_t i) const { return ends[size_t(i)] - begin(i); }

 private:
  void add(const Resampling& how, const Scaling& a, double x, std::vector<double>& room) {
    if (!(std::fabs(x) < 1e15)) invalid("a scale of ", a.scale, " leads nowhere");
    outside.push_back(how.crops() && (x < 0 || x > double(in - 1)));
    const bool linear = how.mode == Resampling::Mode::linear;
    if (linear && !how.antialias && !how.exclude_outside) return between(x);
    const double stretch = how.antialias ? std::min(a.scale, 1.0) : 1, reach = (linear ? 1 : 2) / stretch;
    const auto low = int64_t(std::floor(x - reach)), high = int64_t(std::ceil(x + reach));
    if (high - low > int64_t(1) << 26) fail(Code::limit_size, "a scale of ", a.scale, " mixes ", high - low, " elements into one");
    const int64_t start = std::clamp(low, int64_t(0), in - 1);
    room.assign(size_t(std::clamp(high, int64_t(0), in - 1) - start + 1), 0.0);
    double total = 0;
    for (int64_t k = low; k <= high; ++k) {
      const double w = linear ? triangle((double(k) - x) * stretch) : cubic((double(k) - x) * stretch, how.cubic_a);
      if (how.exclude_outside && (k < 0 || k >= in)) continue;
      room[size_t(std::clamp(k, int64_t(0), in - 1) - start)] += w, total += w;
    }
    if ((how.antialias || how.exclude_outside) && total != 0) for (double& w : room) w /= total;
    size_t from = 0, to = room.size();
    while (to > 1 && room[to - 1] == 0) --to;
    while (from + 1 < to && room[from] == 0) ++from;
    first.push_back(start + int64_t(from));
    for (size_t k = from; k < to; ++k) weights.push_back(T(room[k]));
    ends.push_back(int64_t(weights.size()));
  }

  void between(double x) {
    const auto below = int64_t(std::floor(x)), low = std::clamp(below, int64_t(0), in - 1), high = std::clamp(below + 1, int64_t(0), in - 1);
    const double part = low == high ? 0 : x - double(below);
    first.push_back(low), weights.push_back(T(1 - part));
    if (part > 0) weights.push_back(T(part));
    ends.push_back(int64_t(weights.size()));
  }

  void pair_up() {
    for (int64_t i = 0; i < out; ++i) if (count(i) > 2) return;
    left.reserve(size_t(out)), right.reserve(size_t(out)), left_weight.reserve(size_t(out)), right_weight.reserve(size_t(out));
    for (int64_t i = 0; i < out; ++i) {
      const bool alone = count(i) == 1;
      const T w = weights[size_t(begin(i))];
      left.push_back(int32_t(first[size_t(i)])), right.push_back(int32_t(first[size_t(i)] + (alone ? 0 : 1)));
      left_weight.push_back(alone ? w / 2 : w), right_weight.push_back(alone ? w / 2 : weights[size_t(begin(i)) + 1]);
    }
  }
};

// Along the last axis, of every row.
template <class T> struct MixLines {
  [[gnu::always_inline]] static void run(const Mixing<T>& m, const T* x, int64_t rows, T* y) {
    const int64_t out = m.out;
    for (int64_t row = 0; row < rows; ++row, x += m.in, y += out) {
      if (!m.left.empty()) {
        const int32_t *left = m.left.data(), *right = m.right.data();
        const T *a = m.left_weight.data(), *b = m.right_weight.data();
#pragma GCC ivdep
        for (int64_t i = 0; i < out; ++i) y[i] = a[i] * x[left[i]] + b[i] * x[right[i]];
        continue;
      }
      const T* w = m.weights.data();
      for (int64_t i = 0; i < out; ++i) {
        const T* from = x + m.first[size_t(i)];
        const T* const end = m.weights.data() + m.ends[size_t(i)];
        T sum = 0;
        for (; w != end; ++w, ++from) sum += *w * *from;
        y[i] = sum;
      }
    }
  }
};

// Rows of n elements, one behind the other, each times its weight: two at a time.
template <class T> struct MixRows {
  [[gnu::always_inline]] static void run(const T* weights, int64_t count, const T* x, int64_t n, T* y) {
    for (int64_t k = 0; k < count; k += 2) {
      const bool pair = k + 1 < count;
      const T *a = x + k * n, *b = pair ? a + n : a;
      const T wa = pair ? weights[k] : weights[k] / 2, wb = pair ? weights[k + 1] : wa;
      if (k == 0) {
#pragma GCC ivdep
        for (int64_t i = 0; i < n; ++i) y[i] = wa * a[i] + wb * b[i];
      } else {
#pragma GCC ivdep
        for (int64_t i = 0; i < n; ++i) y[i] += wa * a[i] + wb * b[i];
      }
    }
  }
};

template <class T> void mix(const RunContext& context, const Mixing<T>& m, const T* x, int64_t outer, int64_t inner, T* y) {
  if (inner == 1) {
    context.parallel(outer, double(m.out), [&](int64_t begin, int64_t end) {
      simd::run<MixLines<T>, T, const Mixing<T>&, const T*, int64_t, T*>(m, x + begin * m.in, end - begin, y + begin * m.out);
    });
  } else {
    context.parallel(outer * m.out, 0.5 * double(inner), [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) {
        const int64_t i = row % m.out;
        simd::run<MixRows<T>, T, const T*, int64_t, const T*, int64_t, T*>(m.weights.data() + m.begin(i), m.count(i), x + (row / m.out * m.in + m.first[size_t(i)]) * inner, inner, y + row * inner);
      }
    });
  }
}

// The axes that change, those first that leave least to do for the others.
std::vector<size_t> in_order(const Resampling& how, std::span<const Scaling> axes) {
  std::vector<size_t> order;
  for (size_t i = 0; i < axes.size(); ++i) if (axes[i].changes(how)) order.push_back(i);
  const auto growth = [&](size_t i) { return double(axes[i].out) / double(axes[i].in); };
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return growth(a) < growth(b) || (growth(a) == growth(b) && growth(a) > 1 && a > b); });
  return order;
}

template <class T> void along_axes(const RunContext& context, const Resampling& how, std::span<const Scaling> axes, const Tensor& x, const Tensor& y) {
  const auto order = in_order(how, axes);
  if (order.empty()) { std::copy_n(x.data<T>(), x.size(), y.data<T>()); return; }
  const auto planes_end = ptrdiff_t(*std::min_element(order.begin(), order.end()));
  const int64_t planes = product(x.dims(), 0, planes_end), from = x.size() / planes, to = y.size() / planes;
  std::vector<Mixing<T>> mixings;
  int64_t size = from, most = 0;
  for (size_t i : order) {
    mixings.emplace_back(how, axes[i]);
    size = size / axes[i].in * axes[i].out;
    if (i != order.back()) most = std::max(most, size);
  }
  const auto plane = [&](const RunContext& inner, int64_t p, T* scratch, T* other) {
    Dims dims(x.dims().begin() + planes_end, x.dims().end());
    const T* now = x.data<T>() + p * from;
    for (size_t k = 0; k < order.size(); ++k) {
      const auto at = int64_t(order[k]) - planes_end;
      T* const next = k + 1 == order.size() ? y.data<T>() + p * to : scratch;
      mix(inner, mixings[k], now, product(dims, 0, at), product(dims, at + 1, int64_t(dims.size())), next);
      dims[size_t(at)] = axes[order[k]].out, now = next;
      std::swap(scratch, other);
    }
  };
  const int64_t two = order.size() > 2 ? most : 0;        // of scratch
  if (planes < context.threads || context.threads <= 1) {
    const Tensor scratch(type_of<T>, {most + two}, context.budget);
    for (int64_t p = 0; p < planes; ++p) context.check(), plane(context, p, scratch.data<T>(), scratch.data<T>() + two);
  } else {
    context.parallel(planes, 2.0 * double(from + to), [&](int64_t begin, int64_t end) {
      RunContext alone = context;
      alone.threads = 1;
      const Tensor scratch(type_of<T>, {most + two}, context.budget);
      for (int64_t p = begin; p < end; ++p) plane(alone, p, scratch.data<T>(), scratch.data<T>() + two);
    });
  }
  if (!how.crops()) return;
  // Outside along any axis is outside.
  std::vector<std::vector<bool>> outside(axes.size());
  for (size_t k = 0; k < order.size(); ++k) outside[order[k]] = mixings[k].outside;
  for (int64_t at = 0; at < y.size(); ++at) {
    int64_t rest = at;
    for (size_t i = axes.size(); i-- > 0; rest /= axes[i].out) if (outside[i][size_t(rest % axes[i].out)]) y.data<T>()[at] = T(how.extrapolation);
  }
}

}  // namespace

void interpolate(const Call& call, const Resampling& how, std::span<const Scaling> axes, const Tensor& x, const Tensor& y) {
  if (x.type() == DataType::f32) return along_axes<float>(call.context, how, axes, x, y);
  const Tensor to = as_output(call, y, DataType::f64);
  along_axes<double>(call.context, how, axes, as_type(call, x, DataType::f64), to);
  store(to, y);
}

}  // namespace onward
