// SplineTransformer: every column as the values of its B-splines. Between two knots each of them is a polynomial of the distance to the
// knot below; these are worked out here, and the graph looks them up by the interval that an item falls into.
#include <cmath>

#include "onward/estimators/fields.h"
#include "onward/estimators/sorted_search.h"

namespace onward {
namespace {

using Polynomial = std::vector<double>;  // the constant first

constexpr int64_t highest_degree = 50, most_coefficients = int64_t{1} << 23;

double value(const Polynomial& p, double at) {
  double y = 0;
  for (size_t i = p.size(); i-- > 0;) y = y * at + p[i];
  return y;
}
double slope(const Polynomial& p, double at) {
  double y = 0;
  for (size_t i = p.size(); i-- > 1;) y = y * at + double(i) * p[i];
  return y;
}

struct BSpline {
  Numbers knots, coefficients;  // (knots); (bases, splines): how each output is made of the basis splines
  int64_t degree = 3;

  int64_t inner = 0;  // knots at each end that count as outside, beyond those that the degree needs

  int64_t first() const { return degree + inner; }  // the knots between which it is not extrapolated
  int64_t last() const { return knots.size() - 1 - first(); }
  int64_t splines() const { return coefficients.dim(1); }

  // The basis splines that are not 0 between knots j and j + 1, number j - degree first: de Boor's recursion on polynomials.
  std::vector<Polynomial> bases(int64_t j) const {
    std::vector<Polynomial> h(size_t(degree) + 1, Polynomial(size_t(degree) + 1, 0.0));
    h[0][0] = 1;
    for (int64_t level = 1; level <= degree; ++level) {
      const std::vector<Polynomial> before = h;
      std::fill(h[0].begin(), h[0].end(), 0.0);
      for (int64_t n = 1; n <= level; ++n) {
        const double above = knots[j + n], below = knots[j + n - level], width = above - below;
        std::fill(h[size_t(n)].begin(), h[size_t(n)].end(), 0.0);
        if (width == 0) continue;
        for (int64_t p = 0; p < level; ++p) {
          const double w = before[size_t(n) - 1][size_t(p)] / width;
          h[size_t(n) - 1][size_t(p)] += w * (above - knots[j]), h[size_t(n) - 1][size_t(p) + 1] -= w;
          h[size_t(n)][size_t(p)] += w * (knots[j] - below), h[size_t(n)][size_t(p) + 1] += w;
        }
      }
    }
    return h;
  }
  // The interval that x lies in: the last of those that begin there.
  int64_t interval(double x) const {
    int64_t j = degree;
    while (j < knots.size() - degree - 2 && x >= knots[j + 1]) ++j;
    return j;
  }
  std::vector<Polynomial> outputs(int64_t j) const {
    std::vector<Polynomial> out(size_t(splines()), Polynomial(size_t(degree) + 1, 0.0));
    const std::vector<Polynomial> all = bases(j);
    for (int64_t n = 0; n <= degree; ++n)
      for (int64_t s = 0; s < splines(); ++s)
        if (const double c = coefficients(j - degree + n, s); c != 0)
          for (size_t p = 0; p < out[0].size(); ++p) out[size_t(s)][p] += c * all[size_t(n)][p];
    return out;
  }
};

}  // namespace

struct SplineTransformer {
  enum class Beyond { constant, linear, goes_on, periodic, error } beyond = Beyond::constant;
  std::vector<BSpline> columns;
  bool bias = true, zeros = false, sparse = false;  // zeros: of missing items, since 1.8

  void learned(Fields& f) {
    f.choice("extrapolation", beyond,
             {{"constant", Beyond::constant},
              {"linear", Beyond::linear},
              {"continue", Beyond::goes_on},
              {"periodic", Beyond::periodic},
              {"error", Beyond::error}});
    f.choice("handle_missing", zeros, {{"error", false}, {"zeros", true}});
    f("include_bias", bias);
    f.since("sparse_output", sparse);
    std::vector<plain::Value> splines;
    f("bsplines_", splines, {"features"});
    for (size_t i = 0; i < splines.size() && f.ok(); ++i) read(f, text("bsplines_[", i, "]"), splines[i], columns.emplace_back());
    int64_t room = most_coefficients;  // in the tables of all columns
    for (const BSpline& s : columns) {
      if (!f.ok()) return;
      if (s.splines() > room / (s.knots.size() + 2) / (s.degree + 1))
        fail(Code::limit_size, "bsplines_ of ", columns.size(), " columns with ", s.knots.size(), " knots make tables of more than ", most_coefficients, " numbers");
      room -= s.splines() * (s.knots.size() + 2) * (s.degree + 1);
    }
    // The library counts one degree up for each column here, until it is 2, and takes the ends of the next column by that count.
    int64_t counted = columns.empty() ? 0 : columns[0].degree;
    for (BSpline& s : columns) {
      if (beyond != Beyond::linear || !f.ok()) break;
      s.inner = counted - s.degree;
      if (s.first() > s.last()) return f.refuse("extrapolation", text("is linear with degree ", s.degree, " and ", s.knots.size(), " knots, for which the library has no answer"), "use more knots");
      counted += counted <= 1;
    }
  }
  bool takes_missing(const Frame&) const { return zeros; }
  bool takes_infinity(const Frame&) const { return zeros && (beyond == Beyond::constant || beyond == Beyond::periodic); }

  Outputs operator()(const Frame& x) const {
    ONWARD_CHECK(x.size() == int64_t(columns.size()));
    std::vector<Expr> parts;
    std::vector<std::string> names;
    for (int64_t i = 0; i < x.size(); ++i) {
      const BSpline& spline = columns[size_t(i)];
      const Expr given = x.number(i);
      Expr y = values(spline, given);
      if (zeros) y = where(is_nan(given), 0.0, y);
      const int64_t kept = spline.splines() - (bias ? 0 : 1);
      std::vector<int64_t> which;
      for (int64_t s = 0; s < kept; ++s) which.push_back(s), names.push_back(text(x.name(i), "_sp_", s));
      if (kept > 0) parts.push_back(onward::columns(y, which));
    }
    Frame out = parts.empty() ? Frame() : Frame(concat(parts), names);
    out.sparse = sparse;
    return transformed(out);
  }

 private:
  void read(Fields& f, const std::string& name, const plain::Value& v, BSpline& into) const {
    const auto part = [&](std::string_view newer, std::string_view older) {
      const auto found = v.find(newer);
      return found ? found : v.find(older);
    };
    const auto t = part("_t", "t"), c = part("_c", "c"), k = v.find("k");
    if (!t || !c || !k) return f.bad(name, "is no spline: knots, coefficients and degree are expected");
    f.assign(name + "._t", *t, into.knots, {});
    f.assign(name + "._c", *c, into.coefficients, {});
    f.assign(name + ".k", *k, into.degree, {});
    if (!f.ok()) return;
    if (into.degree > highest_degree) return f.refuse("degree", text("is ", into.degree), text("convertible: up to ", highest_degree));
    const int64_t n = into.knots.size() - into.degree - 1;
    if (into.degree < 0 || into.knots.shape().size() != 1 || into.coefficients.shape().size() != 2 || n <= into.degree ||
        into.coefficients.dim(0) < n || into.coefficients.dim(1) < 1)
      return f.bad(name, text("has ", into.knots.size(), " knots and coefficients ", shown(into.coefficients.shape()), " for degree ", into.degree));
    if (!std::is_sorted(into.knots.begin(), into.knots.end())) return f.bad(name, "has knots that are not sorted");
  }

  // (batch, splines) of x (batch, 1)
  Expr values(const BSpline& s, Expr x) const {
    const int64_t width = s.splines(), intervals = s.last() - s.first(), places = intervals + 2;
    const double least = s.knots[s.first()], most = s.knots[s.last()];
    if (beyond == Beyond::periodic) x = wrapped(x, least, most - least);
    // A place for what lies below, one for each interval, one for what lies above the last knot, which itself is within.
    const Numbers ends = Numbers::of({1, intervals + 1}, [&](int64_t i) { return i == intervals ? std::nextafter(most, HUGE_VAL) : s.knots[s.first() + i]; });
    std::vector<std::vector<Polynomial>> table;
    std::vector<double> origin;
    for (int64_t place = 0; place < places; ++place) {
      const int64_t j = s.first() + std::clamp<int64_t>(place - 1, 0, std::max<int64_t>(intervals - 1, 0));
      const bool outside = (place == 0 || place == places - 1) && beyond != Beyond::goes_on && beyond != Beyond::periodic;
      table.push_back(outside ? outer(s, place == 0) : s.outputs(j));
      origin.push_back(outside ? (place ? most : least) : s.knots[j]);
    }
    const Expr place = column(count_at_most(x, ends), 0);
    if (beyond == Beyond::constant && zeros) x = minimum(maximum(x, least), most);  // no 0 times infinity
    const Expr off = x - reshaped(pick(Numbers({places}, origin), place), {rows, 1});
    std::optional<Expr> y;
    for (int64_t p = s.degree; p >= 0; --p) {
      const Expr c = pick(Numbers::of({places, width}, [&](int64_t i) { return table[size_t(i / width)][size_t(i % width)][size_t(p)]; }), place);
      y = y ? *y * off + c : c;
    }
    return *y;
  }
  // What stands for the splines below the first knot or above the last.
  std::vector<Polynomial> outer(const BSpline& s, bool below) const {
    const double at = s.knots[below ? s.first() : s.last()];
    const int64_t j = s.interval(at), counted = s.degree + s.inner;
    std::vector<Polynomial> out = s.outputs(j);
    const double end = at - s.knots[j];
    const int64_t reach = beyond == Beyond::linear && counted <= 1 ? counted + 1 : counted;
    for (int64_t k = 0; k < int64_t(out.size()); ++k) {
      Polynomial& p = out[size_t(k)];
      const bool reaches = below ? k < reach : k >= int64_t(out.size()) - reach;
      const double at_end = value(p, end), rises = slope(p, end);
      std::fill(p.begin(), p.end(), beyond == Beyond::error ? __builtin_nan("") : 0.0);  // the library refuses such rows
      if (beyond == Beyond::error || !reaches) continue;
      p[0] = at_end;
      if (beyond == Beyond::linear && p.size() > 1) p[1] = rises;
    }
    return out;
  }
  static Expr wrapped(Expr x, double least, double period) {
    if (!(period > 0)) return x * 0.0;
    const Expr off = x - least;
    const Expr rest = x.graph->add("Mod", {off, x.graph->constant(Tensor::scalar(period))}, {{"fmod", int64_t{1}}}, Result{DataType::f64, x.shape()});
    return least + where(rest < 0.0, rest + period, rest);
  }
};

Definitions splines_estimators() {
  return {
      reads<SplineTransformer>("sklearn.preprocessing.SplineTransformer",
                               {.cases = {"()", "(4, extrapolation='linear')", "(extrapolation='continue', include_bias=False)",
                                          "(5, degree=2, extrapolation='periodic')", "(knots='quantile', degree=1, extrapolation='linear')",
                                          "(3, degree=1, extrapolation='linear')", "(7, degree=0, extrapolation='linear')"},
                                .data = "clean ratings",
                                .tolerance = 1e-12}),
      reads<SplineTransformer>("sklearn.preprocessing.SplineTransformer",
                               {.cases = {"(knots='quantile', handle_missing='zeros', sparse_output=True)", "(handle_missing='zeros')",
                                          "(5, handle_missing='zeros', extrapolation='periodic')"},
                                .data = "missing",
                                .tolerance = 1e-12}),
  };
}

}  // namespace onward
