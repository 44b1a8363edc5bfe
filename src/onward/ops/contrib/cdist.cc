// CDist: the distance of every row of A to every row of B, by the formulas of scipy.spatial.distance. Sums are in double and in order.
#include <cmath>
#include <cstring>
#include "onward/ops/contrib.h"
#include "onward/ops/multiply_add.h"
#include "onward/ops/transpose.h"
#include "onward/ops/typed.h"
#include "onward/simd/targets.h"

namespace onward::ops {
namespace {

constexpr int64_t block = 64;           // distances at a time: their sums stay near

// What a metric adds up for each pair of elements, in up to three sums, and the distance from them.
struct SquaredEuclidean {
  static void step(double& a, double&, double&, double x, double y) { a += (x - y) * (x - y); }
  static double finish(double a, double, double, double) { return a; }
};
struct Euclidean : SquaredEuclidean {
  static double finish(double a, double, double, double) { return std::sqrt(a); }
};
struct Cityblock {
  static void step(double& a, double&, double&, double x, double y) { a += std::fabs(x - y); }
  static double finish(double a, double, double, double) { return a; }
};
struct Chebyshev {
  static void step(double& a, double&, double&, double x, double y) { const double d = std::fabs(x - y); a = d > a || d != d ? d : a; }
  static double finish(double a, double, double, double) { return a; }
};
struct Canberra {
  static void step(double& a, double&, double&, double x, double y) { const double d = std::fabs(x - y); a += d == 0 ? 0 : d / (std::fabs(x) + std::fabs(y)); }
  static double finish(double a, double, double, double) { return a; }
};
struct Braycurtis {
  static void step(double& a, double& b, double&, double x, double y) { a += std::fabs(x - y), b += std::fabs(x + y); }
  static double finish(double a, double b, double, double) { return a / b; }
};
struct Hamming {
  static void step(double& a, double&, double&, double x, double y) { a += x != y ? 1.0 : 0.0; }
  static double finish(double a, double, double, double n) { return a / n; }
};
struct Cosine {
  static void step(double& a, double& b, double& c, double x, double y) { a += x * y, b += x * x, c += y * y; }
  static double finish(double a, double b, double c, double) { return 1 - a / std::sqrt(b * c); }
};

// One row of A against `width` rows of B, which stand in columns `stride` long.
template <class Metric> struct DistanceBody {
  [[gnu::always_inline]] static void run(const double* row, const double* columns, double* out, int64_t n, int64_t stride, int64_t width) {
    double a[block] = {}, b[block] = {}, c[block] = {};
    for (int64_t k = 0; k < n; ++k, columns += stride) {
      const double x = row[k];
#pragma GCC ivdep
      for (int64_t j = 0; j < width; ++j) Metric::step(a[j], b[j], c[j], x, columns[j]);
    }
    for (int64_t j = 0; j < width; ++j) out[j] = Metric::finish(a[j], b[j], c[j], double(n));
  }
};

// Sums of squares of `rows` rows of A against a panel of B: [k][panel], zeros behind its own columns. Differences of floats are exact here.
constexpr int64_t panel = 32;
template <int bytes, bool fused> struct Squares {
  typedef double V __attribute__((vector_size(bytes)));
  static constexpr int64_t lanes = bytes / 8, wide = 4;
  template <int rows> [[gnu::always_inline]] static void tile(const double* a, const double* columns, int64_t n, double* out) {
    V sum[rows][wide] = {};
    for (int64_t k = 0; k < n; ++k, columns += panel)
#pragma GCC unroll 4
      for (int64_t v = 0; v < wide; ++v) {
        V b;
        std::memcpy(&b, columns + v * lanes, sizeof b);
#pragma GCC unroll 4
        for (int r = 0; r < rows; ++r) {
          const V d = a[r * n + k] - b;
          multiply_add_vectors<fused, double>(sum[r][v], d, d);
        }
      }
#pragma GCC unroll 4
    for (int r = 0; r < rows; ++r)
#pragma GCC unroll 4
      for (int64_t v = 0; v < wide; ++v) {
        const V s = sum[r][v];
        std::memcpy(out + r * panel + v * lanes, &s, sizeof s);
      }
  }
  [[gnu::always_inline]] static void run(const double* a, int64_t rows, const double* columns, int64_t n, double* out) {
    for (int64_t j = 0; j < panel; j += wide * lanes) {
      int64_t i = 0;
      for (; i + 4 <= rows; i += 4) tile<4>(a + i * n, columns + j, n, out + i * panel + j);
      for (; i < rows; ++i) tile<1>(a + i * n, columns + j, n, out + i * panel + j);
    }
  }
};
using SquaresOf = void(const double* a, int64_t rows, const double* columns, int64_t n, double* out);
[[gnu::flatten, ONWARD_AVX512]] void squares_avx512(const double* a, int64_t rows, const double* columns, int64_t n, double* out) { Squares<64, true>::run(a, rows, columns, n, out); }
[[gnu::flatten, ONWARD_AVX2]] void squares_avx2(const double* a, int64_t rows, const double* columns, int64_t n, double* out) { Squares<32, true>::run(a, rows, columns, n, out); }
[[gnu::flatten]] void squares_baseline(const double* a, int64_t rows, const double* columns, int64_t n, double* out) { Squares<16, simd::baseline_fuses>::run(a, rows, columns, n, out); }

// The distances from their squares; of floats the root is taken in float.
template <class T> struct FinishBody {
  [[gnu::always_inline]] static void run(const double* squares, int64_t n, bool root, T* y) {
    if (root) for (int64_t i = 0; i < n; ++i) y[i] = std::sqrt(T(squares[i]));
    else for (int64_t i = 0; i < n; ++i) y[i] = T(squares[i]);
  }
};

// All distances of a metric that squares differences.
template <class T> void euclidean(const RunContext& context, const Tensor& a, const Tensor& b, bool root, T* y) {
  constexpr SquaresOf* all[] = ONWARD_PER_TARGET(squares_baseline, squares_avx2, squares_avx512);
  constexpr int64_t together = 16;
  const int64_t n = a.dims()[1], rows = a.dims()[0], columns = b.dims()[0], panels = (columns + panel - 1) / panel;
  const Tensor packed(DataType::f64, {panels, n, panel}, context.budget);
  double* const to = packed.data<double>();
  std::fill_n(to, packed.size(), 0.0);
  for (int64_t j = 0; j < columns; ++j) for (int64_t k = 0; k < n; ++k) to[(j / panel * n + k) * panel + j % panel] = b.data<double>()[j * n + k];
  context.parallel((rows + together - 1) / together, 0.5 * double(columns * n * together), [&](int64_t begin, int64_t end) {
    double squares[together * panel];
    for (int64_t i = begin * together; i < std::min(end * together, rows); i += together)
      for (int64_t p = 0; p < panels; ++p) {
        const int64_t high = std::min(together, rows - i), wide = std::min(panel, columns - p * panel);
        all[size_t(simd::best())](a.data<double>() + i * n, high, to + p * n * panel, n, squares);
        for (int64_t r = 0; r < high; ++r) simd::run<FinishBody<T>, T, const double*, int64_t, bool, T*>(squares + r * panel, wide, root, y + (i + r) * columns + p * panel);
      }
  });
}

using Distances = void (*)(const double*, const double*, double*, int64_t, int64_t, int64_t);
struct Named { std::string_view name; Distances run; };
template <class Metric> constexpr Named named(std::string_view name) { return {name, simd::run<DistanceBody<Metric>, double, const double*, const double*, double*, int64_t, int64_t, int64_t>}; }
constexpr Named metrics[] = {named<SquaredEuclidean>("sqeuclidean"), named<Euclidean>("euclidean"), named<Cityblock>("cityblock"), named<Chebyshev>("chebyshev"),
                             named<Canberra>("canberra"), named<Braycurtis>("braycurtis"), named<Hamming>("hamming"), named<Cosine>("cosine")};

struct CDist : contrib::CDist {
  const Named* how = nullptr;

  void prepare(const Preparation&) {
    how = std::find_if(std::begin(metrics), std::end(metrics), [&](const Named& m) { return m.name == metric; });
    if (how == std::end(metrics)) unsupported("metric '", metric, "'");
  }
  void infer(Inference& io) const {
    const Dims &a = io.dims(0), &b = io.dims(1);
    if (a.size() != 2 || b.size() != 2 || (!is_symbol(a[1]) && !is_symbol(b[1]) && a[1] != b[1])) invalid("expected matrices with rows of one length, found shapes ", shown(a), " and ", shown(b));
    io.output(0, {a[0], b[0]});
  }
  void run(Call& call) const {
    if (metric.ends_with("euclidean")) {
      const Tensor a = as_type(call, call.tensor(0), DataType::f64), b = as_type(call, call.tensor(1), DataType::f64), &y = call.output(0);
      if (for_type<f32 | f64>(y.type(), [&]<class T>() { euclidean<T>(call.context, a, b, metric == "euclidean", y.data<T>()); })) return;
    }
    const Tensor a = as_type(call, call.tensor(0), DataType::f64), b = transposed(as_type(call, call.tensor(1), DataType::f64), {1, 0});
    const Tensor &y = call.output(0), to = as_output(call, y, DataType::f64);
    const int64_t n = a.dims()[1], columns = b.dims()[1];
    call.context.parallel(a.dims()[0], 0.5 * double(columns * n), [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i)
        for (int64_t j = 0; j < columns; j += block)
          how->run(a.data<double>() + i * n, b.data<double>() + j, to.data<double>() + i * columns + j, n, columns, std::min(block, columns - j));
    });
    store(to, y);
  }
};

}  // namespace

Operators contrib_cdist() {
  return {define<CDist>({.tolerance = 1e-6, .examples = {"float [[0, 0], [1, 1]], float [[3, 4]]; metric=\"euclidean\" -> float [[5], [3.6055512]]",
                                                         "double [[1, 2]], double [[0, 0], [1, 4]] -> double [[5, 4]]", "float [[1, 2]], float [[2, 2]]; metric=\"hamming\" -> float [[0.5]]"}})};
}

}  // namespace onward::ops
