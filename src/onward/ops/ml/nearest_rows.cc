// onward.NearestRows: for each row of X the k nearest of constant rows, nearest first; of equally near ones, the first. Sessions make it
// of the differences, sums and TopK that say the same in standard operators (optimizer/passes/fuse_nearest_rows.cc), with the same bits,
// and without a tensor of all differences.
//
// X [n, …]; rows: a constant matrix [s, features]; k; metric: "squared" (sum of squared differences), "manhattan" (of their sizes) or
// "chebyshev" (the largest size), with ReduceSum's and ReduceMax's bits; "sqeuclidean" or "euclidean" with those of CDist. Outputs: the
// distances [n, k] and the numbers of the rows [n, k].
//
// onward.RowDistances: all of those distances [n, s], of the first three metrics.
#include <cmath>
#include <numeric>

#include "onward/ops/near_candidates.h"
#include "onward/ops/operator.h"
#include "onward/simd/math.h"
#include "onward/simd/targets.h"

namespace onward::ops {
namespace {

constexpr int64_t wide = 32;              // rows that are measured at once; loops of 16 would be unrolled before they become vectors
constexpr int64_t together = 8;           // rows of X that pass over them at once
constexpr int64_t few = 32;               // neighbours that are kept in order one by one

// How two numbers differ, and how ReduceSum and ReduceMax fold that.
struct Squared {
  template <class T> static T apart(T a, T b) { return (a - b) * (a - b); }
  template <class T> static T fold(T sum, T x) { return sum + x; }
  template <class T> static T start() { return 0; }
};
struct Manhattan : Squared {
  template <class T> static T apart(T a, T b) { return std::fabs(a - b); }
};
struct Chebyshev : Manhattan {
  template <class T> static T fold(T a, T b) { return (a > b) | (a != a) ? a : b; }
  template <class T> static T start() { return -INFINITY; }
};

// Distances from x to `wide` rows whose features lie next to each other. Features are folded as reductions do it (ops/reduction.h): in
// 256 bytes of lanes, which are joined in halves.
template <class Metric, class T> struct Distances {
  static constexpr int64_t lanes = 256 / sizeof(T), quarter = lanes / 4;
  // nearer: whether any distance is below `farthest`.
  [[gnu::always_inline]] static void run(const T* x, const T* rows, int64_t features, T* __restrict out, T farthest, bool* nearer) {
    T part[quarter][wide];
    const int64_t parts = std::max<int64_t>(1, std::min(quarter, features));
    for (int64_t k = 0; k < parts; ++k) {                 // the first two halvings, which leave a quarter of the lanes
      if (features > lanes || features == 0) many(x, rows, features, k, part[k]);
      else if (k + 3 * quarter < features) four<4>(x + k, rows + k * wide, part[k]);
      else if (k + 2 * quarter < features) four<3>(x + k, rows + k * wide, part[k]);
      else if (k + quarter < features) four<2>(x + k, rows + k * wide, part[k]);
      else four<1>(x + k, rows + k * wide, part[k]);
    }
    for (int64_t half = quarter / 2; half > 0; half /= 2)
      for (int64_t k = 0; k < half && k + half < parts; ++k) join(part[k], part[k + half]);
    int64_t below = 0;
    for (int64_t r = 0; r < wide; ++r) out[r] = part[0][r], below += part[0][r] < farthest;
    *nearer = below > 0;
  }
  // Four lanes of at most one feature each, of which the first `given` have one. What a fold starts with changes no distance.
  template <int given> [[gnu::always_inline]] static void four(const T* x, const T* rows, T (&sum)[wide]) {
    for (int64_t r = 0; r < wide; ++r) {
      T a = Metric::apart(x[0], rows[r]);
      if constexpr (given > 2) a = Metric::fold(a, Metric::apart(x[2 * quarter], rows[2 * quarter * wide + r]));
      if constexpr (given > 1) {
        T b = Metric::apart(x[quarter], rows[quarter * wide + r]);
        if constexpr (given > 3) b = Metric::fold(b, Metric::apart(x[3 * quarter], rows[3 * quarter * wide + r]));
        a = Metric::fold(a, b);
      }
      sum[r] = a;
    }
  }
  [[gnu::always_inline]] static void many(const T* x, const T* rows, int64_t features, int64_t k, T (&sum)[wide]) {
    lane(x, rows, features, k, sum);
    join_lane(x, rows, features, k + 2 * quarter, sum);
    if (k + quarter >= features) return;
    T other[wide];
    lane(x, rows, features, k + quarter, other);
    join_lane(x, rows, features, k + 3 * quarter, other);
    join(sum, other);
  }
  [[gnu::always_inline]] static void lane(const T* x, const T* rows, int64_t features, int64_t at, T (&sum)[wide]) {
    for (int64_t r = 0; r < wide; ++r) sum[r] = at < features ? Metric::fold(Metric::template start<T>(), Metric::apart(x[at], rows[at * wide + r])) : Metric::template start<T>();
    for (int64_t j = at + lanes; j < features; j += lanes)
      for (int64_t r = 0; r < wide; ++r) sum[r] = Metric::fold(sum[r], Metric::apart(x[j], rows[j * wide + r]));
  }
  // A lane without a feature would not change what it is joined to.
  [[gnu::always_inline]] static void join_lane(const T* x, const T* rows, int64_t features, int64_t at, T (&sum)[wide]) {
    if (at >= features) return;
    T other[wide];
    lane(x, rows, features, at, other);
    join(sum, other);
  }
  [[gnu::always_inline]] static void join(T (&sum)[wide], const T (&other)[wide]) {
    for (int64_t r = 0; r < wide; ++r) sum[r] = Metric::fold(sum[r], other[r]);
  }
};

// As CDist: sums in double and in order, the root of a float in float.
template <bool root> struct Ordered {};
template <bool root, class T> struct Distances<Ordered<root>, T> {
  [[gnu::always_inline]] static void run(const T* x, const T* rows, int64_t features, T* __restrict out, T farthest, bool* nearer) {
    double sum[wide] = {};
    for (int64_t j = 0; j < features; ++j, rows += wide)
      for (int64_t r = 0; r < wide; ++r) {
        const double apart = double(x[j]) - double(rows[r]);
        sum[r] = simd::fused(apart, apart, sum[r]);
      }
    int64_t below = 0;
    for (int64_t r = 0; r < wide; ++r) out[r] = root ? std::sqrt(T(sum[r])) : T(sum[r]), below += out[r] < farthest;
    *nearer = below > 0;
  }
};
template <class Metric> inline constexpr bool squares = std::is_same_v<Metric, Squared> || std::is_same_v<Metric, Ordered<false>> || std::is_same_v<Metric, Ordered<true>>;

// The k nearest so far, nearest first. NaN is farther than all else.
template <class T> struct Nearest {
  T* distances;
  int64_t* numbers;
  int64_t k, found = 0;

  static bool nearer(T a, T b) { return a < b || (a == a && b != b); }
  void offer(T distance, int64_t number) {
    if (found == k && !nearer(distance, distances[k - 1])) return;
    int64_t at = found < k ? found++ : k - 1;
    for (; at > 0 && nearer(distance, distances[at - 1]); --at) distances[at] = distances[at - 1], numbers[at] = numbers[at - 1];
    distances[at] = distance, numbers[at] = number;
  }
};

template <class Metric, class T> auto measure_of() { return simd::Compiled<Distances<Metric, T>, const T*, const T*, int64_t, T*, T, bool*>::all[size_t(simd::best())]; }

struct ConstantRows {
  int64_t count = 0, features = 0;
  Tensor blocks;                        // [s / wide, features, wide], the last block filled with copies of the last row; or nothing yet

  ConstantRows() = default;
  explicit ConstantRows(const Tensor& rows, bool in_blocks = true) {
    if (rows.rank() != 2 || rows.dims()[0] < 1 || !contains(f32 | f64, rows.type())) invalid("rows are ", shown(rows), ", expected a matrix of float or double");
    count = rows.dims()[0], features = rows.dims()[1];
    if (in_blocks) make_blocks(rows);
  }
  explicit operator bool() const { return count > 0; }

  void make_blocks(const Tensor& rows) {
    blocks = Tensor(rows.type(), {(count + wide - 1) / wide, features, wide});
    for_type<f32 | f64>(rows.type(), [&]<class T>() {
      for (int64_t first = 0; first < count; first += wide) lay_out(rows.data<T>(), first, blocks.data<T>() + first * features);
    });
  }
  template <class T> void lay_out(const T* rows, int64_t first, T* block) const {
    for (int64_t r = 0; r < wide; ++r)
      for (int64_t j = 0; j < features; ++j) block[j * wide + r] = rows[std::min(first + r, count - 1) * features + j];
  }
};

void check_rows(Inference& io) {
  const Dims &x = io.dims(0), &rows = io.dims(1);
  if (rows.size() != 2 || io.type(0) != io.type(1)) invalid("rows are ", shown(rows), ", expected a matrix of X's type");
  if (x.empty()) invalid("X is a scalar: it has no rows");
  const int64_t width = io.product(std::span<const int64_t>(x).subspan(1));
  if (!is_symbol(width) && !is_symbol(rows[1]) && width != rows[1]) invalid("X is ", shown(x), ", the rows have ", rows[1], " features");
}

struct NearestRows : ConstantRows {
  static constexpr Name standard_name{"onward", "NearestRows", 1};
  static constexpr Constraint T{f32 | f64, 0};
  int64_t k = 1;
  std::string metric = "squared";
  NearCandidates candidates;            // where the metric is a sum of squares; a block is then made when it is wanted, which is seldom

  void read(const Attributes& from) { from.read("k", k), from.read("metric", metric); }
  void prepare(const Preparation& at) {
    constexpr std::string_view known[] = {"squared", "manhattan", "chebyshev", "euclidean", "sqeuclidean"};
    if (std::find(std::begin(known), std::end(known), metric) == std::end(known)) invalid("metric is '", metric, "', expected squared, manhattan, chebyshev, euclidean or sqeuclidean");
    const Tensor* rows = at.input(1);
    if (!rows) return;
    static_cast<ConstantRows&>(*this) = ConstantRows(*rows, false);
    if (k <= few && (metric == "squared" || metric.ends_with("euclidean")))
      for_type<f32 | f64>(rows->type(), [&]<class T>() { candidates = NearCandidates(rows->data<T>(), count, features); });
    if (!candidates) make_blocks(*rows);
  }
  void infer(Inference& io) const {
    check_rows(io);
    const Dims &x = io.dims(0), &rows = io.dims(1);
    if (k < 1 || (!is_symbol(rows[0]) && k > rows[0])) invalid("k is ", k, " of ", rows[0], " rows");
    io.output(0, io.type(0), {x[0], k});
    io.output(1, DataType::i64, {x[0], k});
  }
  template <class T> void run(const RunContext& context, In<T> x, In<T> rows, Out<T> distances, Out<int64_t> numbers) const {
    NearestRows own;                    // of rows that are no constant
    if (!count) own.k = k, static_cast<ConstantRows&>(own) = ConstantRows(Tensor::view(type_of<T>, Dims(rows.dims), rows.data));
    const NearestRows& self = count ? *this : own;
    if (metric == "squared") self.find<Squared>(context, x, rows, distances, numbers);
    else if (metric == "manhattan") self.find<Manhattan>(context, x, rows, distances, numbers);
    else if (metric == "chebyshev") self.find<Chebyshev>(context, x, rows, distances, numbers);
    else if (metric == "euclidean") self.find<Ordered<true>>(context, x, rows, distances, numbers);
    else self.find<Ordered<false>>(context, x, rows, distances, numbers);
  }

 private:
  template <class Metric, class T> void find(const RunContext& context, In<T> x, In<T> rows, Out<T> distances, Out<int64_t> numbers) const {
    std::vector<int64_t> unwanted(numbers ? 0 : size_t(distances.size));
    int64_t* to = numbers ? numbers.data : unwanted.data();
    if (k > few) return find_many<Metric, T>(context, x, distances, to);
    const bool filtered = squares<Metric> && candidates;
    const int64_t step = filtered ? NearCandidates::together : together;
    context.parallel(distances.size / k, (filtered ? 0.02 : 0.1) * double(count * features), [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; i += step) {
        context.check();
        const auto from = filtered ? &NearestRows::filtered_pass<Metric, T> : &NearestRows::pass<Metric, T>;
        (this->*from)(x.data + i * features, rows.data, distances.data + i * k, to + i * k, std::min(step, end - i));
      }
    });
  }
  // Only the rows that may be among the nearest are measured.
  template <class Metric, class T> void filtered_pass(const T* x, const T* rows, T* distances, int64_t* numbers, int64_t n) const {
    std::vector<int64_t> found[NearCandidates::together];
    candidates.find(x, n, k, found);
    const auto measure = measure_of<Metric, T>();
    std::vector<T> block(size_t(features * wide));
    for (int64_t i = 0; i < n; ++i) {
      if (found[i].empty()) {
        pass<Metric, T>(x + i * features, rows, distances + i * k, numbers + i * k, 1);
        continue;
      }
      Nearest<T> nearest{distances + i * k, numbers + i * k, k};
      for (size_t first = 0; first < found[i].size(); first += wide) {
        const auto near = std::span(found[i]).subspan(first, std::min(size_t(wide), found[i].size() - first));
        for (size_t r = 0; r < near.size(); ++r)
          for (int64_t j = 0; j < features; ++j) block[size_t(j * wide) + r] = rows[near[r] * features + j];
        T apart[wide];
        bool nearer = false;
        measure(x + i * features, block.data(), features, apart, T(0), &nearer);
        for (size_t r = 0; r < near.size(); ++r) nearest.offer(apart[r], near[r]);
      }
    }
  }
  // Many neighbours: all distances of a row, then a sort.
  template <class Metric, class T> void find_many(const RunContext& context, In<T> x, Out<T> distances, int64_t* numbers) const {
    const auto measure = measure_of<Metric, T>();
    context.parallel(distances.size / k, 0.2 * double(count * features) + 20 * double(count), [&](int64_t begin, int64_t end) {
      std::vector<T> all(size_t(blocks.dims()[0] * wide));
      std::vector<int64_t> order(static_cast<size_t>(count));
      bool nearer = false;
      for (int64_t i = begin; i < end; ++i) {
        context.check();
        for (int64_t first = 0; first < count; first += wide) measure(x.data + i * features, blocks.data<T>() + first * features, features, all.data() + first, T(0), &nearer);
        std::iota(order.begin(), order.end(), 0);
        std::partial_sort(order.begin(), order.begin() + k, order.end(), [&](int64_t a, int64_t b) {
          const T p = all[size_t(a)], q = all[size_t(b)];
          return Nearest<T>::nearer(p, q) || (!Nearest<T>::nearer(q, p) && a < b);
        });
        for (int64_t r = 0; r < k; ++r) distances[i * k + r] = all[size_t(order[size_t(r)])], numbers[i * k + r] = order[size_t(r)];
      }
    });
  }

  template <class Metric, class T> void pass(const T* x, const T* given, T* distances, int64_t* numbers, int64_t n) const {
    std::vector<T> block(blocks ? 0 : size_t(features * wide));
    Nearest<T> nearest[together];
    for (int64_t i = 0; i < n; ++i) nearest[i] = {distances + i * k, numbers + i * k, k};
    const auto measure = measure_of<Metric, T>();
    for (int64_t first = 0; first < count; first += wide) {
      if (!blocks) lay_out(given, first, block.data());
      const T* rows = blocks ? blocks.data<T>() + first * features : block.data();
      const int64_t real = std::min(wide, count - first);
      for (int64_t i = 0; i < n; ++i) {
        T found[wide];
        const bool full = nearest[i].found == k && nearest[i].distances[k - 1] == nearest[i].distances[k - 1];
        bool nearer = false;
        measure(x + i * features, rows, features, found, full ? nearest[i].distances[k - 1] : T(0), &nearer);
        if (full && !nearer) continue;
        for (int64_t r = 0; r < real; ++r) nearest[i].offer(found[r], first + r);
      }
    }
  }
};

struct RowDistances {
  static constexpr Name standard_name{"onward", "RowDistances", 1};
  static constexpr Constraint T{f32 | f64, 0};
  std::string metric = "squared";
  ConstantRows constant;

  void read(const Attributes& from) { from.read("metric", metric); }
  void prepare(const Preparation& at) {
    if (metric != "squared" && metric != "manhattan" && metric != "chebyshev") invalid("metric is '", metric, "', expected squared, manhattan or chebyshev");
    if (const Tensor* rows = at.input(1)) constant = ConstantRows(*rows);
  }
  void infer(Inference& io) const {
    check_rows(io);
    io.output(0, io.type(0), {io.dims(0)[0], io.dims(1)[0]});
  }
  template <class T> void run(const RunContext& context, In<T> x, In<T> rows, Out<T> y) const {
    const ConstantRows own = constant ? ConstantRows() : ConstantRows(Tensor::view(type_of<T>, Dims(rows.dims), rows.data));
    const ConstantRows& to = constant ? constant : own;
    if (metric == "squared") measure<Squared, T>(context, x.data, to, y);
    else if (metric == "manhattan") measure<Manhattan, T>(context, x.data, to, y);
    else measure<Chebyshev, T>(context, x.data, to, y);
  }

 private:
  template <class Metric, class T> static void measure(const RunContext& context, const T* x, const ConstantRows& rows, Out<T> y) {
    const auto measure = measure_of<Metric, T>();
    const int64_t count = rows.count, features = rows.features;
    context.parallel(y.dims[0], 0.2 * double(count * features), [&](int64_t begin, int64_t end) {
      T apart[wide];
      bool nearer = false;
      for (int64_t at = begin; at < end; at += together)
        for (int64_t first = 0; first < count; first += wide)
          for (int64_t i = at; i < std::min(at + together, end); ++i) {
            T* const to = y.data + i * count + first;
            const bool whole = count - first >= wide;
            measure(x + i * features, rows.blocks.data<T>() + first * features, features, whole ? to : apart, T(0), &nearer);
            if (!whole) std::copy_n(apart, count - first, to);
          }
    });
  }
};

}  // namespace

Operators ml_nearest_rows() {
  return {define<RowDistances, RowDistances::T>({.examples = {
      "double [[0, 0], [5, 5]], double [[3, 4], [1, 1], [1, -1]] -> double [[25, 2, 2], [5, 32, 52]]",
      "float [[0, 0]], float [[3, 4], [nan, 1], [-2, 1]]; metric=\"manhattan\" -> float [[7, nan, 3]]"}}),
          define<NearestRows, NearestRows::T>({.examples = {
      "double [[0, 0], [5, 5]], double [[3, 4], [1, 1], [1, -1], [4, 4]]; k=2 -> double [[2, 2], [2, 5]], int64 [[1, 2], [3, 0]]",
      "float [[0, 0]], float [[3, 4], [nan, 1], [-2, 1]]; k=3, metric=\"manhattan\" -> float [[3, 7, nan]], int64 [[2, 0, 1]]",
      "double [[0, 0]], double [[3, 4], [-2, 5]]; k=1, metric=\"chebyshev\" -> double [[4]], int64 [[0]]",
      "float [[0, 0]], float [[3, 4], [-3, 4], [1, 0]]; k=2, metric=\"euclidean\" -> float [[1, 5]], int64 [[2, 0]]",
      "float [[0, 0]], float [[3, 4], [-3, 4], [1, 0]]; k=2, metric=\"sqeuclidean\" -> float [[1, 25]], int64 [[2, 0]]"}})};
}

}  // namespace onward::ops
