// KNNImputer: a gap becomes the mean of its column over the rows nearest to it, by distances over what both rows have.
#include <cmath>

#include "onward/estimators/missing_values.h"
#include "onward/estimators/numpy_sum.h"

namespace onward {
struct KNNImputer {
  MissingValues missing;
  Numbers fitted;
  int64_t k = 5;
  bool narrow = false;  // fitted on float32
  bool by_distance = false, keep_empty = false;
  std::optional<Array<int64_t>> indicated;

  void learned(Fields& f) {
    missing.learned(f);
    if (missing.kind == MissingValues::Kind::none || missing.kind == MissingValues::Kind::word)
      return f.refuse("missing_values", "is no number", "convertible: NaN or a number");
    f("_fit_X", fitted, {"samples", "features"});
    narrow = f.float32("_fit_X");
    f("n_neighbors", k);
    f.choice("weights", by_distance, {{"uniform", false}, {"None", false}, {"distance", true}});
    bool metric = true;
    f.choice("metric", metric, {{"nan_euclidean", true}});
    f.since("keep_empty_features", keep_empty);
    read_indicated(f, indicated, std::max<int64_t>(0, f.facts().n_features_in));
    if (k < 1) f.bad("n_neighbors", text("is ", k));
  }
  bool takes_missing(const Frame&) const { return missing.kind == MissingValues::Kind::nan; }

  Outputs operator()(const Frame& x) const {
    missing.tell_imputed(x);
    const Expr given = x.numbers(), absent = missing.among_numbers(given), distance = distances(given, absent);
    std::vector<Expr> parts;
    std::vector<int64_t> kept;
    for (int64_t i = 0; i < x.size(); ++i) {
      const std::vector<int64_t> donors = rows_with(i);
      if (donors.empty() && !keep_empty) continue;
      kept.push_back(i);
      const Expr own = columns(given, {i});
      parts.push_back(donors.empty() ? own * 0.0 : where(columns(absent, {i}), filling(i, donors, distance), own));
      if (donors.empty()) parts.back() = where(is_nan(own), 0.0, parts.back());
    }
    if (kept.empty()) return transformed(Frame());
    Frame out = x.select(kept).all_replaced(concat(parts), Frame::Keeps::values);
    if (indicated && indicated->size()) out.append(missing_indicators(x, columns(absent, {indicated->begin(), indicated->end()}), *indicated));
    return transformed(out);
  }

 private:
  bool absent_at(int64_t row, int64_t column) const {
    const double v = fitted(row, column);
    return missing.kind == MissingValues::Kind::number ? v == missing.number : v != v;
  }
  std::vector<int64_t> rows_with(int64_t column) const {
    std::vector<int64_t> rows;
    for (int64_t r = 0; r < fitted.dim(0); ++r)
      if (!absent_at(r, column)) rows.push_back(r);
    return rows;
  }
  // The mean of a masked column: what is absent counts as 0 in the sum, which is one of the training data's type.
  double mean(int64_t column, int64_t donors) const { return (narrow ? total<float>(column) : total<double>(column)) / double(donors); }
  template <class T>
  double total(int64_t column) const {
    std::vector<T> items(size_t(fitted.dim(0)));
    for (size_t r = 0; r < items.size(); ++r) items[r] = absent_at(int64_t(r), column) ? T(0) : T(fitted(int64_t(r), column));
    return numpy_sum<T>(items);
  }
  // Squared, (batch, samples), and scaled up for the columns that either lacks; NaN where the two share none. In the library's order.
  Expr distances(Expr x, Expr absent) const {
    const int64_t m = fitted.dim(1);
    const auto at = [&](auto item) { return Numbers::of(fitted.shape(), [&](int64_t i) { return item(i, absent_at(i / m, i % m)); }); };
    const Numbers y = at([&](int64_t i, bool no) { return no ? 0 : fitted[i]; }), y_squared = y.map([](double v) { return v * v; });
    const Numbers y_absent = at([](int64_t, bool no) { return no ? 1.0 : 0.0; }), y_present = y_absent.map([](double v) { return 1 - v; });
    const Numbers y_lengths = Numbers::of({fitted.dim(0)}, [&](int64_t r) {
      double sum = 0;
      for (int64_t j = 0; j < m; ++j) sum += y_squared(r, j);
      return sum;
    });
    const Expr z = where(absent, 0.0, x), squared = z * z, no = cast(absent, DataType::f64);
    Expr d = maximum(-2.0 * matmul(z, y.transposed()) + sum(squared) + y_lengths, 0.0);
    d = maximum(d - matmul(squared, y_absent.transposed()) - matmul(no, y_squared.transposed()), 0.0);
    const Expr shared = matmul(1.0 - no, y_present.transposed());
    return where(equal(shared, 0.0), __builtin_nan(""), d / maximum(shared, 1.0) * double(m));
  }
  // (batch, 1): what a gap of column i becomes.
  Expr filling(int64_t i, const std::vector<int64_t>& donors, Expr distance) const {
    const int64_t n = int64_t(donors.size());
    const Numbers value = Numbers::of({n}, [&](int64_t d) { return fitted(donors[size_t(d)], i); });
    const Expr far = columns(distance, donors), unknown = is_nan(far);
    const auto [nearest, which] = smallest(where(unknown, HUGE_VAL, sqrt(far)), std::min(k, n));
    const Expr known = cast(nearest < HUGE_VAL, DataType::f64);
    Expr weight = known;
    if (by_distance) {  // a row at distance 0 has all the weight, shared with others like it
      const Expr here = cast(equal(nearest, 0.0), DataType::f64);
      weight = where(sum(here) > 0.0, here, known / nearest);
    }
    return where(sum(known) > 0.0, sum(pick(value, which) * weight) / sum(weight), mean(i, n));
  }
};

Definitions knn_imputer_estimators() {
  return {
      reads<KNNImputer>("sklearn.impute.KNNImputer", {.cases = {"()", "(n_neighbors=1000, add_indicator=True)"}, .data = "gaps", .tolerance = 1e-12}),
      // Distances near 0 are what cancelling left of large numbers: the library differs from itself by 4e-10 between row and column order.
      reads<KNNImputer>("sklearn.impute.KNNImputer", {.cases = {"(n_neighbors=3, weights='distance')"}, .data = "gaps", .tolerance = 1e-8}),
      // On steps of 0.1 many rows are equally far; which of them the library takes depends on its partial sort: counted apart.
      reads<KNNImputer>("sklearn.impute.KNNImputer", {.cases = {"()"}, .data = "clean missing", .tolerance = 1e-12}),
  };
}

}  // namespace onward
