// Differences, not x² - 2xy + y²: what is equally far must stay equally far.
#include "onward/estimators/distance.h"

#include <cmath>

#include "onward/estimators/dense_algebra.h"

namespace onward {

void Distance::learned(Fields& f, std::string_view metric, std::string_view parameters, const Numbers& fitted) {
  const auto name = f.get(metric);
  if (!name || !name->is(plain::Kind::text))
    return f.refuse(metric, name ? text("is ", f.said(*name)) : "is missing", "convertible: a metric by its name, such as 'euclidean'");
  const auto given = f.get(parameters);
  choose(f, metric, name->str(), given ? &*given : nullptr, fitted);
}

void Distance::choose(Fields& f, std::string_view field, std::string_view metric, const plain::Value* parameters, const Numbers& fitted) {
  static constexpr std::pair<std::string_view, Kind> names[] = {
      {"euclidean", Kind::euclidean},       {"l2", Kind::euclidean},
      {"manhattan", Kind::manhattan},       {"l1", Kind::manhattan},
      {"cityblock", Kind::manhattan},       {"minkowski", Kind::minkowski},
      {"p", Kind::minkowski},               {"chebyshev", Kind::chebyshev},
      {"infinity", Kind::chebyshev},        {"cosine", Kind::cosine},
      {"sqeuclidean", Kind::sqeuclidean},   {"seuclidean", Kind::seuclidean},
      {"mahalanobis", Kind::mahalanobis},   {"canberra", Kind::canberra},
      {"braycurtis", Kind::braycurtis},     {"hamming", Kind::hamming},
      {"haversine", Kind::haversine},       {"correlation", Kind::correlation},
      {"nan_euclidean", Kind::nan_euclidean},
      {"jaccard", Kind::jaccard},           {"dice", Kind::dice},
      {"matching", Kind::matching},         {"rogerstanimoto", Kind::rogers_tanimoto},
      {"sokalmichener", Kind::rogers_tanimoto},
      {"russellrao", Kind::russell_rao},    {"sokalsneath", Kind::sokal_sneath},
      {"yule", Kind::yule},
  };
  const auto known = std::find_if(std::begin(names), std::end(names), [&](const auto& n) { return n.first == metric; });
  if (known == std::end(names)) {
    const bool matrix = metric == "precomputed";
    return f.refuse(field, text("is '", clipped(metric), "'"),
                    matrix ? "a caller has no distances to the training rows; refit with a metric by its name, such as 'euclidean'"
                           : "convertible: the named metrics of scikit-learn, such as euclidean, manhattan, cosine, canberra");
  }
  kind_ = known->second;
  const auto parameter = [&](std::string_view name, auto& into, const DimNames& dims) {
    const auto v = parameters ? parameters->find(name) : std::nullopt;
    if (!v || v->is(plain::Kind::none)) return false;
    const std::string field = text("metric_params['", name, "']");
    if constexpr (std::is_same_v<decltype(into), Numbers&>) {
      if (v->is(plain::Kind::list) || v->is(plain::Kind::tuple)) {
        std::vector<double> items;
        f.assign(field, *v, items, dims);
        into = Numbers({int64_t(items.size())}, items);
        return f.check(field, into.shape(), dims), true;
      }
    }
    f.assign(field, *v, into, dims);
    return true;
  };
  if (kind_ == Kind::minkowski) {
    parameter("p", p_, {});
    Numbers w;
    if (parameter("w", w, {"features"})) each_ = w;
    if (!(p_ > 0)) f.bad(field, text("is minkowski with p=", p_));
    if (std::isinf(p_)) kind_ = Kind::chebyshev;
  } else if (kind_ == Kind::seuclidean) {
    Numbers v;
    if (parameter("V", v, {"features"})) each_ = v;
    else f.refuse(field, "is 'seuclidean' without V", "give metric_params={'V': the variance of each column}");
  } else if (kind_ == Kind::mahalanobis) {
    Numbers covariance;
    if (parameter("VI", inverse_, {"features", "features"})) return;
    if (!parameter("V", covariance, {"features", "features"}))
      return f.refuse(field, "is 'mahalanobis' without V and VI", "give metric_params={'V': the covariance of the columns}");
    if (const int64_t m = covariance ? covariance.dim(0) : 0; f.ok())
      inverse_ = solved(covariance, Numbers::of({m, m}, [&](int64_t i) { return i / m == i % m ? 1.0 : 0.0; }));
  } else if (kind_ == Kind::haversine && fitted && fitted.dim(1) != 2) {
    f.bad(field, text("is 'haversine', of 2 columns, and the data has ", fitted.dim(1)));
  }
}

Expr Distance::comparable(Expr x, const Numbers& fitted) const {
  switch (kind_) {
    case Kind::cosine:
    case Kind::correlation:
      return of_angles(x, fitted);
    case Kind::haversine:
      return haversine(x, fitted);
    case Kind::nan_euclidean:
      return where_both_known(x, fitted);
    default:
      if (kind_ >= Kind::jaccard) return of_truths(x, fitted);
  }
  const Expr one = reshaped(x, {0, 1, fitted.dim(1)});
  if (kind_ == Kind::hamming) return sum(cast(negation(equal(one, fitted)), DataType::f64), -1, false) / double(fitted.dim(1));
  const Expr off = one - fitted;  // (batch, samples, features)
  switch (kind_) {
    case Kind::manhattan:
      return sum(abs(off), -1, false);
    case Kind::chebyshev:
      return max(abs(off), -1, false);
    case Kind::minkowski:
      return sum(each_ ? *each_ * power(abs(off), p_) : power(abs(off), p_), -1, false);
    case Kind::canberra: {
      const Expr size = abs(one) + fitted.map([](double v) { return std::abs(v); });
      return sum(abs(off) / where(equal(size, 0.0), 1.0, size), -1, false);
    }
    case Kind::braycurtis: {
      const Expr size = sum(abs(one) + fitted.map([](double v) { return std::abs(v); }), -1, false);
      return sum(abs(off), -1, false) / where(equal(size, 0.0), 1.0, size);
    }
    case Kind::seuclidean:
      return sum(off * off / *each_, -1, false);
    case Kind::mahalanobis: {
      // Σᵢⱼ oᵢ VIᵢⱼ oⱼ: the products with VI are those of each row alone.
      const Expr weighted = reshaped(matmul(x, inverse_.transposed()), {0, 1, fitted.dim(1)}) - product(fitted, inverse_.transposed());
      return sum(off * weighted, -1, false);
    }
    default:
      return sum(off * off, -1, false);
  }
}

Expr Distance::comparable_in_order(Expr x, const Numbers& fitted) const {
  constexpr int64_t most_columns = 64;
  const bool sum_of_columns = kind_ == Kind::euclidean || kind_ == Kind::sqeuclidean || kind_ == Kind::manhattan || kind_ == Kind::seuclidean ||
                              kind_ == Kind::minkowski;
  if (!sum_of_columns || fitted.dim(1) > most_columns) return comparable(x, fitted);
  std::optional<Expr> total;
  for (int64_t j = 0; j < fitted.dim(1); ++j) {
    const Expr off = columns(x, {j}) - Numbers::of({fitted.dim(0)}, [&](int64_t i) { return fitted(i, j); });
    const Expr size = kind_ == Kind::manhattan || kind_ == Kind::minkowski ? abs(off) : off * off;
    const Expr term = kind_ == Kind::minkowski ? power(size, p_) : size;
    const Expr weighted = !each_ ? term : kind_ == Kind::minkowski ? (*each_)[j] * term : term / (*each_)[j];
    total = total ? *total + weighted : weighted;
  }
  if (!total) fail(Code::bad_file, "a distance of no columns");
  return *total;
}

Expr Distance::from_comparable(Expr d) const {
  switch (kind_) {
    case Kind::euclidean:
    case Kind::seuclidean:
    case Kind::mahalanobis:
    case Kind::nan_euclidean:
      return sqrt(d);
    case Kind::minkowski:
      return power(d, 1 / p_);
    case Kind::haversine:
      return 2.0 * unary("Asin", sqrt(d));
    default:
      return d;
  }
}

double Distance::to_comparable(double d) const {
  switch (kind_) {
    case Kind::euclidean:
    case Kind::seuclidean:
    case Kind::mahalanobis:
    case Kind::nan_euclidean:
      return d * d;
    case Kind::minkowski:
      return std::pow(d, p_);
    case Kind::haversine:
      return std::pow(std::sin(0.5 * d), 2);
    default:
      return d;
  }
}

// Anything but 0 is true. Counts of pairs are products of zeros and ones, exact in any order.
Expr Distance::of_truths(Expr x, const Numbers& fitted) const {
  const int64_t m = fitted.dim(1);
  const Numbers other = fitted.map([](double v) { return v != 0 ? 1.0 : 0.0; });
  const Numbers others = Numbers::of({fitted.dim(0)}, [&](int64_t i) {
    double true_ones = 0;
    for (int64_t j = 0; j < m; ++j) true_ones += other(i, j);
    return true_ones;
  });
  const Expr one = cast(negation(equal(x, 0.0)), DataType::f64);
  const Expr both = matmul(one, other.transposed()), either = sum(one) + others - both, differ = either - both;
  switch (kind_) {
    case Kind::jaccard:
      return where(equal(either, 0.0), 0.0, differ / maximum(either, 1.0));
    case Kind::dice:
      return differ / (2.0 * both + differ);
    case Kind::matching:
      return differ / double(m);
    case Kind::rogers_tanimoto:
      return 2.0 * differ / (double(m) + differ);
    case Kind::russell_rao:
      return (double(m) - both) / double(m);
    case Kind::sokal_sneath:
      return differ / (0.5 * both + differ);
    default: {  // yule
      const Expr first = sum(one) - both, second = others - both, neither = double(m) - either;
      const Expr half = first * second;
      return where(equal(half, 0.0), 0.0, 2.0 * half / (both * neither + half));
    }
  }
}

// 1 - the cosine between rows; for correlation, between rows less their own means.
Expr Distance::of_angles(Expr x, Numbers fitted) const {
  const int64_t m = fitted.dim(1);
  const auto row = [&](int64_t i, auto of_item) {
    double total = 0;
    for (int64_t j = 0; j < m; ++j) total += of_item(fitted(i, j));
    return total;
  };
  if (kind_ == Kind::correlation) {
    const Numbers mean = Numbers::of({fitted.dim(0)}, [&](int64_t i) { return row(i, [](double v) { return v; }) / double(m); });
    fitted = Numbers::of(fitted.shape(), [&](int64_t i) { return fitted[i] - mean[i / m]; });
    x = x - sum(x) / double(m);
  }
  const Numbers length = Numbers::of({fitted.dim(0)}, [&](int64_t i) {
    const double squares = row(i, [](double v) { return v * v; });
    return squares == 0 ? 1 : std::sqrt(squares);
  });
  const Numbers unit = Numbers::of(fitted.shape(), [&](int64_t i) { return fitted[i] / length[i / m]; }).transposed();
  const Expr norm = sqrt(sum(x * x));
  return minimum(maximum(1.0 - matmul(x / where(equal(norm, 0.0), 1.0, norm), unit), 0.0), 2.0);
}

// Latitude and longitude in radians; comparable is the squared sine of half the angle.
Expr Distance::haversine(Expr x, const Numbers& fitted) const {
  const auto part = [&](int64_t j) { return Numbers::of({fitted.dim(0)}, [&](int64_t i) { return fitted(i, j); }); };
  const Expr latitude = columns(x, {0}), longitude = columns(x, {1});
  const Expr up = unary("Sin", 0.5 * (latitude - part(0))), across = unary("Sin", 0.5 * (longitude - part(1)));
  return up * up + unary("Cos", latitude) * part(0).map([](double v) { return std::cos(v); }) * across * across;
}

// Gaps on either side are left out, and what is there counts for them. As the library adds it up, for what cancels there must cancel
// here. Rows with nothing in common are infinitely far.
Expr Distance::where_both_known(Expr x, const Numbers& fitted) const {
  const int64_t m = fitted.dim(1);
  const Numbers filled = fitted.map([](double v) { return v == v ? v : 0.0; }), squares = filled.map([](double v) { return v * v; });
  const Numbers known = fitted.map([](double v) { return v == v ? 1.0 : 0.0; }), unknown = known.map([](double k) { return 1 - k; });
  const Numbers lengths = Numbers::of({fitted.dim(0)}, [&](int64_t i) {
    double total = 0;
    for (int64_t j = 0; j < m; ++j) total += squares(i, j);
    return total;
  });
  const Expr gap = is_nan(x), here = cast(negation(gap), DataType::f64), full = where(gap, 0.0, x), own = full * full;
  Expr d = maximum(-2.0 * matmul(full, filled.transposed()) + sum(own) + lengths, 0.0);
  d = d - matmul(own, unknown.transposed());
  d = maximum(d - matmul(1.0 - here, squares.transposed()), 0.0);
  const Expr both = matmul(here, known.transposed());
  return where(equal(both, 0.0), HUGE_VAL, d / maximum(both, 1.0) * double(m));
}

}  // namespace onward
