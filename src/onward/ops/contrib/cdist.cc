// CDist: the distance of every row of A to every row of B, by the formulas of scipy.spatial.distance. Sums are in double and in order.
#include <cmath>
#include "onward/ops/contrib.h"
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
