// CDist: the distance of every row of A to every row of B, by the formulas of scipy.spatial.distance. Sums are in double and in order.
#include <cmath>
#include "onward/ops/contrib.h"
#include "onward/ops/operator.h"

namespace onward::ops {
namespace {

// What a metric adds up for each pair of elements, and the distance from three such sums (or their largest).
struct Sums { double a = 0, b = 0, c = 0; };
struct Metric {
  std::string_view name;
  void (*step)(Sums& s, double x, double y);
  double (*finish)(const Sums& s, double n);
};

constexpr Metric metrics[] = {
    {"sqeuclidean", [](Sums& s, double x, double y) { s.a += (x - y) * (x - y); }, [](const Sums& s, double) { return s.a; }},
    {"euclidean", [](Sums& s, double x, double y) { s.a += (x - y) * (x - y); }, [](const Sums& s, double) { return std::sqrt(s.a); }},
    {"cityblock", [](Sums& s, double x, double y) { s.a += std::fabs(x - y); }, [](const Sums& s, double) { return s.a; }},
    {"chebyshev", [](Sums& s, double x, double y) { const double d = std::fabs(x - y); if (d > s.a || d != d) s.a = d; }, [](const Sums& s, double) { return s.a; }},
    {"canberra", [](Sums& s, double x, double y) { const double d = std::fabs(x - y); if (d != 0) s.a += d / (std::fabs(x) + std::fabs(y)); }, [](const Sums& s, double) { return s.a; }},
    {"braycurtis", [](Sums& s, double x, double y) { s.a += std::fabs(x - y), s.b += std::fabs(x + y); }, [](const Sums& s, double) { return s.a / s.b; }},
    {"hamming", [](Sums& s, double x, double y) { s.a += x != y; }, [](const Sums& s, double n) { return s.a / n; }},
    {"cosine", [](Sums& s, double x, double y) { s.a += x * y, s.b += x * x, s.c += y * y; }, [](const Sums& s, double) { return 1 - s.a / std::sqrt(s.b * s.c); }},
};

struct CDist : contrib::CDist {
  const Metric* how = nullptr;

  void prepare(const Preparation&) {
    how = std::find_if(std::begin(metrics), std::end(metrics), [&](const Metric& m) { return m.name == metric; });
    if (how == std::end(metrics)) unsupported("metric '", metric, "'");
  }
  void infer(Inference& io) const {
    const Dims &a = io.dims(0), &b = io.dims(1);
    if (a.size() != 2 || b.size() != 2 || (!is_symbol(a[1]) && !is_symbol(b[1]) && a[1] != b[1])) invalid("expected matrices with rows of one length, found shapes ", shown(a), " and ", shown(b));
    io.output(0, {a[0], b[0]});
  }
  template <class T> void run(const RunContext& context, In<T> a, In<T> b, Out<T> c) const {
    const int64_t n = a.dims[1], columns = b.dims[0];
    context.parallel(a.dims[0], double(columns * n), [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) for (int64_t j = 0; j < columns; ++j) {
        Sums sums;
        for (int64_t k = 0; k < n; ++k) how->step(sums, double(a[i * n + k]), double(b[j * n + k]));
        c[i * columns + j] = T(how->finish(sums, double(n)));
      }
    });
  }
};

}  // namespace

Operators contrib_cdist() {
  return {define<CDist, CDist::T>({.tolerance = 1e-6, .examples = {"float [[0, 0], [1, 1]], float [[3, 4]]; metric=\"euclidean\" -> float [[5], [3.6055512]]",
                                                                   "double [[1, 2]], double [[0, 0], [1, 4]] -> double [[5, 4]]", "float [[1, 2]], float [[2, 2]]; metric=\"hamming\" -> float [[0.5]]"}})};
}

}  // namespace onward::ops
