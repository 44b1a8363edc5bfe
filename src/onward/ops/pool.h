// Pools: windows folded into one number each. The walk that all of them share.
//
// An output row is computed at once: the input rows under it become one line, folded place by place, and that line is folded along itself,
// one tap after the other for all outputs. Both are plain loops over neighbours. Lines with few outputs stand one behind the other, each with
// its padding, and are folded along themselves as one.
#pragma once
#include <limits>

#include "onward/ops/window.h"
#include "onward/simd/targets.h"

namespace onward {

// Images [planes][in of every axis][inner]: `inner` numbers stand at every place, each of which is pooled on its own.
struct Pooled {
  int64_t planes, inner;
  Windows along;
  bool padding_counts = false;                            // among the taps that a fold is told of
};

// A fold is a struct with
//   Value                    the type in which it folds
//   in_order                 true: tap after tap as they stand in the image; false: columns first, then across, which is faster
//   start(), of(x), join(a, b)
//   finish(v, taps)          the answer, of how many taps
template <class Fold, class X, class Y> struct PoolRows {
  using Value = typename Fold::Value;
  using Count = std::conditional_t<std::is_floating_point_v<Value>, Value, float>;
  struct Place { int64_t first, taps; Count counted; };   // of a window along one axis: its first tap inside, how many are, how many count
  struct Span { int64_t first, last, from; };             // under which outputs a tap lies inside, and where it is in the line for the first

  const Fold fold;
  const Pooled& p;
  const X* const x;
  Y* const y;
  std::vector<std::vector<Place>> places = {};            // of every axis, every output
  std::vector<Count> taps = {};                           // of every output of the last axis
  int64_t rows = 1, in_rows = 1;                          // of a plane
  std::vector<int64_t> behind = {};                       // rows of a plane for one place of each axis
  double work = 0;                                        // of a row

  PoolRows(const Fold& fold, const Pooled& p, const X* x, Y* y) : fold(fold), p(p), x(x), y(y) {
    double rows_each = 1;
    for (const Window& v : p.along) {
      places.emplace_back();
      for (int64_t k = 0; k < v.out; ++k) {
        const auto [from, to] = v.inside(k);
        places.back().push_back({k * v.stride - v.before + from * v.dilation, to - from, Count(v.counted(k, p.padding_counts))});
      }
      if (&v != &p.along.back()) rows *= v.out, in_rows *= v.in, rows_each *= double(v.taps);
    }
    int64_t rest = rows;
    for (size_t i = 0; i + 1 < p.along.size(); ++i) behind.push_back(rest /= std::max<int64_t>(1, p.along[i].out));
    for (const Place& place : places.back()) taps.push_back(place.counted);
    taps.resize(taps.size() + size_t(lanes), 1);
    work = 0.3 * double(p.inner) * (rows_each * double(across().in) + double(across().taps) * double(across().out)) + 10;
  }
  const Window& across() const { return p.along.back(); }

  // Loops over scratch run in whole vectors: short rows would spend their time on remainders.
  static constexpr int64_t lanes = 64 / int64_t(sizeof(Value));
  [[gnu::always_inline]] static int64_t whole(int64_t n) { return (n + lanes - 1) / lanes * lanes; }

  // What a thread needs.
  struct Scratch {
    std::vector<Value> line, sums;
    std::vector<Y> answers;
    std::vector<int64_t> under;                           // the rows under an output row
    std::vector<Span> spans;
    std::vector<Count> counted;                           // of every line that stands with others
  };
  static constexpr int64_t few = 64;                      // outputs of a short row
  static int64_t reach(const Window& v) { return (v.taps - 1) * v.dilation + 1; }
  // Outputs at a time: their line stays in the cache, and is much longer than what two neighbours share.
  int64_t block() const { return std::min(across().out, std::max(4096 / p.inner, 4 * reach(across()) / across().stride) + 1); }

  // For how many outputs a line has room with its padding, and how many lines stand together.
  int64_t room() const { return across().out - 1 + (reach(across()) + across().stride - 1) / across().stride; }
  static constexpr int64_t longest = 2048;                // numbers in lines that stand together
  bool together() const {
    const Window& v = across();
    const bool small = v.out <= few && v.stride <= longest && reach(v) <= longest && v.before <= reach(v);   // a window may be told any stride
    return !Fold::in_order && p.inner == 1 && rows > 1 && small && 2 * room() <= 3 * v.out && room() * v.stride <= longest;
  }
  int64_t group() const { return longest / (room() * across().stride); }

  void run(int64_t begin, int64_t end) const {
    const Window& v = across();
    if (together()) {
      const int64_t outputs = whole(group() * room());
      Scratch scratch{std::vector<Value>(size_t(outputs * v.stride + reach(v) + 2 * lanes)), std::vector<Value>(size_t(outputs + 2 * lanes)), std::vector<Y>(size_t(few + lanes)), {}, {}, std::vector<Count>(size_t(group()))};
      simd::Compiled<Together, const PoolRows&, Scratch&, int64_t, int64_t>::best(*this, scratch, begin, end);
      return;
    }
    Scratch scratch{std::vector<Value>(size_t(std::min(v.in, (block() - 1) * v.stride + reach(v)) * p.inner + 4 * lanes)), std::vector<Value>(size_t(block() * p.inner + 2 * lanes)),
                    std::vector<Y>(size_t(few + lanes)), {}, std::vector<Span>(size_t(v.taps)), {}};
    simd::Compiled<PoolRows, const PoolRows&, Scratch&, int64_t, int64_t>::best(*this, scratch, begin, end);
  }

  [[gnu::always_inline]] static void run(const PoolRows& all, Scratch& scratch, int64_t begin, int64_t end) {
    const int64_t out = all.across().out;
    for (int64_t first = 0, step = all.block(); first < out; first += step) all.outputs(scratch, begin, end, first, std::min(out, first + step));
  }

 private:
  struct Together {
    [[gnu::always_inline]] static void run(const PoolRows& all, Scratch& scratch, int64_t begin, int64_t end) { all.lines_together(scratch, begin, end); }
  };

  // Rows [begin, end) of few outputs.
  [[gnu::always_inline]] void lines_together(Scratch& scratch, int64_t begin, int64_t end) const {
    const Window v = across();
    const Fold fold = this->fold;
    const int64_t room = this->room(), width = room * v.stride, size = std::min(v.in, width - v.before), most = group();
    const X* const end_of_x = x + p.planes * in_rows * v.in;
    Value *const lines = scratch.line.data(), *const sums = scratch.sums.data();
    for (int64_t row = begin, plane = begin / rows, at = begin % rows; row < end;) {
      const int64_t n = std::min(most, end - row), outputs = whole(n * room);
      for (int64_t g = 0; g < n; ++g) {
        Value* const line = lines + g * width;
        scratch.counted[size_t(g)] = find(at, scratch.under);
        std::fill_n(line, v.before, fold.start());
        const size_t under = scratch.under.size();
        const auto above = [&](size_t r) { return x + (plane * in_rows + scratch.under[r]) * v.in; };
        size_t r = under % 2;
        if (r) fold_row(line + v.before, above(0), size, end_of_x, true);
        for (; r < under; r += 2) fold_rows(line + v.before, above(r), above(r + 1), size, end_of_x, r == 0);
        std::fill(line + v.before + (under ? size : 0), line + width, fold.start());
        if (++at == rows) at = 0, ++plane;
      }
      std::fill_n(sums, outputs, fold.start());
      int64_t tap = 0;
      if (v.stride == 2 && v.dilation == 1) for (; tap + 1 < v.taps; tap += 2) fold_pairs(sums, lines + tap, outputs);
      for (; tap < v.taps; ++tap) fold_line(sums, lines + tap * v.dilation, outputs, v.stride);
      for (int64_t g = 0; g < n; ++g, ++row) {
        // What is written behind a row is written over by those that follow.
        const bool covered = (end - 1 - row) * v.out >= whole(v.out) - v.out;
        finish(sums + g * room, y + row * v.out, covered ? whole(v.out) : v.out, taps.data(), scratch.counted[size_t(g)], covered ? nullptr : scratch.answers.data());
      }
    }
  }

  // The first row under an output row becomes the line, the others join it.
  [[gnu::always_inline]] void fold_row(Value* line, const X* from, int64_t size, const X* end_of_x, bool first) const {
    const Fold fold = this->fold;
    const int64_t some = end_of_x - from >= whole(size) ? whole(size) : size;
    if (first) {
#pragma GCC ivdep
      for (int64_t i = 0; i < some; ++i) line[i] = fold.of(from[i]);
    } else {
#pragma GCC ivdep
      for (int64_t i = 0; i < some; ++i) line[i] = fold.join(line[i], fold.of(from[i]));
    }
  }

  // The same of two rows, the upper one first.
  [[gnu::always_inline]] void fold_rows(Value* line, const X* upper, const X* lower, int64_t size, const X* end_of_x, bool first) const {
    const Fold fold = this->fold;
    const int64_t some = end_of_x - lower >= whole(size) ? whole(size) : size;
    if (first) {
#pragma GCC ivdep
      for (int64_t i = 0; i < some; ++i) line[i] = fold.join(fold.of(upper[i]), fold.of(lower[i]));
    } else {
#pragma GCC ivdep
      for (int64_t i = 0; i < some; ++i) line[i] = fold.join(fold.join(line[i], fold.of(upper[i])), fold.of(lower[i]));
    }
  }

  // Two neighbouring taps of n outputs whose places in the line are 2 apart.
  [[gnu::always_inline]] void fold_pairs(Value* to, const Value* from, int64_t n) const {
    const Fold fold = this->fold;
#pragma GCC ivdep
    for (int64_t i = 0; i < n; ++i) to[i] = fold.join(fold.join(to[i], from[2 * i]), from[2 * i + 1]);
  }

  // One tap of n outputs whose places in the line are `stride` apart.
  [[gnu::always_inline]] void fold_line(Value* to, const Value* from, int64_t n, int64_t stride) const {
    const Fold fold = this->fold;
    if (stride == 1) {
#pragma GCC ivdep
      for (int64_t i = 0; i < n; ++i) to[i] = fold.join(to[i], from[i]);
    } else if (stride == 2) {
#pragma GCC ivdep
      for (int64_t i = 0; i < n; ++i) to[i] = fold.join(to[i], from[2 * i]);
    } else {
      for (int64_t i = 0; i < n; ++i) to[i] = fold.join(to[i], from[i * stride]);
    }
  }

  // Outputs [first, last) of rows [begin, end).
  [[gnu::always_inline]] void outputs(Scratch& scratch, int64_t begin, int64_t end, int64_t first, int64_t last) const {
    const Window v = across();
    const Fold fold = this->fold;
    const int64_t low = std::max<int64_t>(0, first * v.stride - v.before), high = std::min(v.in, (last - 1) * v.stride - v.before + reach(v));
    for (int64_t tap = 0; tap < v.taps; ++tap) {
      const int64_t at = tap * v.dilation - v.before;     // under output 0
      Span& s = scratch.spans[size_t(tap)];
      s.first = std::max(first, at < low ? (low - at + v.stride - 1) / v.stride : 0);
      s.last = std::min(last, high > at ? (high - 1 - at) / v.stride + 1 : 0);
      s.from = s.first * v.stride + at - low, s.first -= first, s.last -= first;
    }
    const int64_t inner = p.inner, size = (high - low) * inner;
    const X* const end_of_x = x + p.planes * in_rows * v.in * inner;
    Value *const line = scratch.line.data(), *const sums = scratch.sums.data();
    for (int64_t row = begin, plane = begin / rows, at = begin % rows; row < end; ++row) {
      const Count counted = find(at, scratch.under);
      std::fill_n(sums, whole((last - first) * inner), fold.start());
      const X* const image = x + (plane * in_rows * v.in + low) * inner;
      const auto n = int64_t(scratch.under.size());
      for (int64_t r = 0; r < n && size > 0; ++r) {
        const X* const from = image + scratch.under[size_t(r)] * v.in * inner;
        fold_row(line, from, size, end_of_x, r == 0 || Fold::in_order);
        if (Fold::in_order || r + 1 == n) along(scratch.spans, last - first, line, sums);
      }
      finish(sums, y + (row * v.out + first) * inner, last - first, taps.data() + first, counted, scratch.answers.data());
      if (++at == rows) at = 0, ++plane;
    }
  }

  // The rows under row `at` of a plane's output, and how many of them count.
  [[gnu::always_inline]] Count find(int64_t at, std::vector<int64_t>& under) const {
    under.assign(1, 0);
    Count counted = 1;
    for (size_t i = 0; i + 1 < p.along.size(); ++i) {
      const Window& v = p.along[i];
      int64_t position = at;
      if (i + 2 < p.along.size()) position = at / behind[i], at %= behind[i];
      const Place& place = places[i][size_t(position)];
      counted *= place.counted;
      const size_t n = under.size();                      // each becomes as many as the axis has taps, the last first
      under.resize(n * size_t(place.taps));
      if (place.taps) for (size_t k = n; k-- > 0;)
        for (int64_t tap = place.taps; tap-- > 0;) under[k * size_t(place.taps) + size_t(tap)] = under[k] * v.in + place.first + tap * v.dilation;
    }
    return counted;
  }

  // Adds the line to the outputs.
  [[gnu::always_inline]] void along(const std::vector<Span>& spans, int64_t outputs, const Value* line, Value* sums) const {
    const Fold fold = this->fold;
    const int64_t inner = p.inner, stride = across().stride;
    for (const Span& s : spans) {
      const int64_t n = s.last - s.first;
      if (n <= 0) continue;
      const Value* from = line + s.from * inner;
      Value* to = sums + s.first * inner;
      // What is added behind the last output reaches nobody.
      const int64_t some = s.last == outputs ? whole(n * inner) : n * inner;
      if (stride == 1 || inner == 1) {
        fold_line(to, from, inner == 1 && stride > 2 ? n : some, stride);
      } else {
        for (int64_t i = 0; i < n; ++i, to += inner, from += stride * inner) {
#pragma GCC ivdep
          for (int64_t c = 0; c < inner; ++c) to[c] = fold.join(to[c], from[c]);
        }
      }
    }
  }

  [[gnu::always_inline]] void finish(const Value* sums, Y* to, int64_t n, const Count* taps, Count rows_counted, Y* answers) const {
    const Fold fold = this->fold;                         // what is stored may be bytes, and those might be anything but a copy
    const int64_t inner = p.inner;
    if (inner == 1) {
      const bool short_row = answers && n <= few;
      Y* const into = short_row ? answers : to;
      const int64_t some = short_row ? whole(n) : n;
#pragma GCC ivdep
      for (int64_t i = 0; i < some; ++i) into[i] = fold.finish(sums[i], rows_counted * taps[i]);
      if (short_row) for (int64_t i = 0; i < n; ++i) to[i] = answers[i];
      return;
    }
    for (int64_t i = 0; i < n; ++i, to += inner, sums += inner) {
      const Count all = rows_counted * taps[i];
#pragma GCC ivdep
      for (int64_t c = 0; c < inner; ++c) to[c] = fold.finish(sums[c], all);
    }
  }
};

template <class Fold, class X, class Y> void pool(const RunContext& context, const Fold& fold, const Pooled& p, const X* x, Y* y) {
  const PoolRows<Fold, X, Y> all(fold, p, x, y);
  context.parallel(p.planes * all.rows, all.work, [&](int64_t begin, int64_t end) { all.run(begin, end); });
}

// The largest element, NaN above all; the lowest number of a window that lies in the padding as a whole.
template <class T> struct LargestUnder {
  using Value = T;
  static constexpr bool in_order = false;
  [[gnu::always_inline]] static T start() {
    if constexpr (std::is_floating_point_v<T>) return -std::numeric_limits<T>::infinity();
    else return std::numeric_limits<T>::lowest();
  }
  [[gnu::always_inline]] static T of(T x) { return x; }
  [[gnu::always_inline]] static T join(T a, T b) { return b > a || b != b ? b : a; }
  template <class Count> [[gnu::always_inline]] static T finish(T v, Count taps) {
    if constexpr (std::is_floating_point_v<T>) return taps > 0 ? v : std::numeric_limits<T>::lowest();
    else return v;
  }
};

}  // namespace onward
