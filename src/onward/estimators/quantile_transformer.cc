// QuantileTransformer: where an item lies among the training data's quantiles, from 0 to 1 or on the normal distribution.
#include "onward/estimators/fields.h"
#include "onward/estimators/sorted_search.h"
#include "onward/graph/named_functions.h"

namespace onward {
namespace {

// numpy.interp of every column: `at` (columns, points) ascending, `to` (columns, points). Beyond the ends the end's own value.
Expr interpolated(Expr x, const Numbers& at, const Numbers& to) {
  const int64_t columns = at.dim(0), points = at.dim(1), places = points + 1;  // a place between each two points, and two outside
  const auto inside = [&](int64_t i) { return i % places > 0 && i % places < points; };
  const auto point = [&](int64_t i) { return i / places * points + std::max<int64_t>(i % places - 1, 0); };
  // A point of several quantiles is the last one: no other place is ever looked up.
  const Numbers slope = Numbers::of({columns * places}, [&](int64_t i) {
    if (!inside(i)) return 0.0;
    const int64_t k = point(i);
    return at[k + 1] == at[k] ? 0.0 : (to[k + 1] - to[k]) / (at[k + 1] - at[k]);
  });
  const Numbers from = Numbers::of({columns * places}, [&](int64_t i) { return at[point(i)]; });
  const Numbers base = Numbers::of({columns * places}, [&](int64_t i) { return to[point(i)]; });
  const Expr place = count_at_most(x, at) + Array<int64_t>::of({columns}, [&](int64_t i) { return i * places; });
  return pick(slope, place) * (x - pick(from, place)) + pick(base, place);
}

}  // namespace

struct QuantileTransformer {
  static constexpr bool takes_missing = true;
  enum class Distribution { uniform, normal } distribution = Distribution::uniform;
  Numbers quantiles, references;  // (columns, points) once read; (points)

  void learned(Fields& f) {
    f.choice("output_distribution", distribution, {{"uniform", Distribution::uniform}, {"normal", Distribution::normal}});
    f("quantiles_", quantiles, {"points", "features"});
    f("references_", references, {"points"});
    if (!f.ok()) return;
    if (references.size() == 0) return f.bad("quantiles_", "is empty");
    quantiles = quantiles.transposed();
    for (int64_t i = 0; i < quantiles.dim(0); ++i)
      if (const double* row = quantiles.data() + i * references.size(); !std::is_sorted(row, row + references.size()))
        return f.bad("quantiles_", text("of column ", i, " are not sorted"));
  }
  Outputs operator()(const Frame& given) const {
    const Expr x = given.numbers(), y = placed(x);
    return transformed(given.sparse ? where(equal(x, 0.0), 0.0, y) : y);  // zeros that a sparse matrix does not hold stay
  }
  // Back from the normal distribution would need its integral in the tails, where 1 + erf(x) has no digits left.
  std::optional<Expr> inverse(Expr y) const {
    if (distribution == Distribution::normal) return {};
    return interpolated(y, Numbers::of(quantiles.shape(), [&](int64_t i) { return references[i % references.size()]; }), quantiles);
  }

 private:
  Expr placed(Expr x) const {
    const int64_t points = references.size(), columns = quantiles.dim(0);
    // The mean of both directions: where quantiles repeat, one finds the last of them and the other the first.
    const Numbers reference = Numbers::of(quantiles.shape(), [&](int64_t i) { return quantile_or_nan(i, references[i % points]); });
    const auto mirrored = [&](const Numbers& a) { return Numbers::of(a.shape(), [&](int64_t i) { return -a[i + points - 1 - 2 * (i % points)]; }); };
    Expr y = 0.5 * (interpolated(x, quantiles, reference) - interpolated(negated(x), mirrored(quantiles), mirrored(reference)));
    const Numbers lowest = Numbers::of({columns}, [&](int64_t i) { return quantiles(i, 0); });
    const Numbers highest = Numbers::of({columns}, [&](int64_t i) { return quantiles(i, points - 1); });
    if (distribution == Distribution::uniform) return where(equal(x, lowest), 0.0, where(equal(x, highest), 1.0, y));
    constexpr double near = 1e-7;
    y = where(x - near < lowest, 0.0, where(x + near > highest, 1.0, y));
    // So far from 0 and 1 that their places on the normal distribution are finite.
    constexpr double least = near - 2.220446049250313e-16, most = 1 - least;
    y = where(y < least, least, where(y > most, most, y));
    return named_function("ndtri")->formula({&y, 1});
  }
  // A column of nothing but gaps has no quantiles, and no answer.
  double quantile_or_nan(int64_t i, double reference) const { return quantiles[i] == quantiles[i] ? reference : quantiles[i]; }
};

Definitions quantile_transformer_estimators() {
  return {
      reads<QuantileTransformer>("sklearn.preprocessing.QuantileTransformer",
                                 {.cases = {"(n_quantiles=500)", "(n_quantiles=10)", "(n_quantiles=1)"}, .data = "clean ratings prices missing"}),
      // scipy's own polynomials and logarithms stand for the normal distribution.
      reads<QuantileTransformer>("sklearn.preprocessing.QuantileTransformer",
                                 {.cases = {"(n_quantiles=100, output_distribution='normal')"}, .data = "clean ratings missing", .tolerance = 1e-12}),
  };
}

}  // namespace onward
