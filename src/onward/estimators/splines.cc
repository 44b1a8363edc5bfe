// SplineTransformer: every column as the values of its B-splines, by de Boor's recursion in the order that SciPy takes it (de Boor, On
// calculating with B-splines, 1972): at a knot what is nothing is 0 and no rounding, which a next step may tell apart. The graph looks up
// the knots around an item by the interval that it falls into.
#include <cmath>
#include <utility>

#include "onward/estimators/fields.h"
#include "onward/estimators/sorted_search.h"

namespace onward {
namespace {

constexpr int64_t highest_degree = 50, most_coefficients = int64_t{1} << 23;

struct BSpline {
  Numbers knots, coefficients;  // (knots); (bases, splines): how each output is made of the basis splines
  int64_t degree = 3;

  int64_t inner = 0;  // knots at each end that count as outside, beyond those that the degree needs

  int64_t first() const { return degree + inner; }  // the knots between which it is not extrapolated
  int64_t last() const { return knots.size() - 1 - first(); }
  int64_t splines() const { return coefficients.dim(1); }

  // Of the basis splines that are not 0 between knots j and j + 1, number j - degree first, the values or the slopes at x.
  std::vector<double> bases(int64_t j, double x, bool slopes) const {
    std::vector<double> h(size_t(degree) + 1, 0.0);
    h[0] = 1;
    for (int64_t level = 1; level <= degree; ++level) {
      const std::vector<double> before = h;
      h[0] = 0;
      for (int64_t n = 1; n <= level; ++n) {
        const double above = knots[j + n], below = knots[j + n - level], last = before[size_t(n) - 1];
        const bool slope = slopes && level == degree;
        const double w = above == below ? 0 : (slope ? double(level) * last : last) / (above - below);
        h[size_t(n) - 1] += slope ? -w : w * (above - x);
        h[size_t(n)] = slope ? w : w * (x - below);
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
  std::vector<double> outputs(double x, bool slopes = false) const {
    const int64_t j = interval(x);
    const std::vector<double> h = bases(j, x, slopes);
    std::vector<double> out(size_t(splines()), 0.0);
    for (int64_t n = 0; n <= degree; ++n)
      for (int64_t s = 0; s < splines(); ++s) out[size_t(s)] += coefficients(j - degree + n, s) * h[size_t(n)];
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

  // Where an item lies: below the first knot, in one of the intervals, or above the last knot, which itself is within.
  struct Places {
    Expr place;
    std::vector<int64_t> knot;  // of each place, where its interval begins
    std::vector<char> outside;  // and what is there is no spline
    int64_t size() const { return int64_t(knot.size()); }
    // What f says of each place, for every item: (batch, 1) or (batch, width).
    Expr pick(auto&& f) const {
      return reshaped(onward::pick(Numbers::of({size()}, f), place), {rows, 1});
    }
    Expr pick(int64_t width, auto&& f) const {
      return onward::pick(Numbers::of({size(), width}, [&](int64_t i) { return f(i / width, i % width); }), place);
    }
  };
  Places places(const BSpline& s, Expr x) const {
    const int64_t intervals = s.last() - s.first();
    const Numbers ends = Numbers::of({1, intervals + 1}, [&](int64_t i) { return i == intervals ? std::nextafter(s.knots[s.last()], HUGE_VAL) : s.knots[s.first() + i]; });
    Places out{column(count_at_most(x, ends), 0), {}, {}};
    for (int64_t place = 0; place < intervals + 2; ++place) {
      out.knot.push_back(s.first() + std::clamp<int64_t>(place - 1, 0, std::max<int64_t>(intervals - 1, 0)));
      out.outside.push_back((place == 0 || place == intervals + 1) && ends_there());
    }
    return out;
  }
  bool ends_there() const { return beyond != Beyond::goes_on && beyond != Beyond::periodic; }

  // (batch, splines) of x (batch, 1)
  Expr values(const BSpline& s, Expr x) const {
    const double least = s.knots[s.first()], most = s.knots[s.last()];
    if (beyond == Beyond::periodic) x = wrapped(x, least, most - least);
    const Places at = places(s, x);
    const Expr within = ends_there() ? minimum(maximum(x, least), most) : x;
    const std::vector<Expr> h = bases(s, at, within);
    std::optional<Expr> y;
    for (int64_t n = 0; n <= s.degree; ++n) {
      const Expr c = at.pick(s.splines(), [&](int64_t place, int64_t k) { return at.outside[size_t(place)] ? 0.0 : s.coefficients(at.knot[size_t(place)] - s.degree + n, k); });
      const Expr part = s.degree ? c * h[size_t(n)] : c;
      y = y ? *y + part : part;
    }
    return ends_there() ? *y + outer(s, at, x) : *y;
  }
  // BSpline::bases of every item.
  static std::vector<Expr> bases(const BSpline& s, const Places& at, Expr x) {
    std::vector<Expr> h, to_above, from_below;  // from knot j + 1 on, from knot j downwards
    const auto knot = [&](int64_t offset) { return at.pick([&](int64_t place) { return s.knots[at.knot[size_t(place)] + offset]; }); };
    for (int64_t n = 0; n < s.degree; ++n) to_above.push_back(knot(n + 1) - x), from_below.push_back(x - knot(-n));
    for (int64_t level = 1; level <= s.degree; ++level) {
      const std::vector<Expr> before = std::exchange(h, {});
      for (int64_t n = 1; n <= level; ++n) {
        const auto width = [&](int64_t place) {
          const double d = s.knots[at.knot[size_t(place)] + n] - s.knots[at.knot[size_t(place)] + n - level];
          return d == 0 ? HUGE_VAL : d;  // such a spline is nothing
        };
        const Expr w = level == 1 ? at.pick([&](int64_t place) { return 1 / width(place); }) : before[size_t(n) - 1] / at.pick(width);
        const Expr rest = w * to_above[size_t(n) - 1];
        if (n == 1) h.push_back(rest);
        else h.back() = h.back() + rest;
        h.push_back(w * from_below[size_t(level - n)]);
      }
    }
    return h;
  }
  // What stands for the splines below the first knot and above the last; 0 elsewhere.
  Expr outer(const BSpline& s, const Places& at, Expr x) const {
    const int64_t counted = s.degree + s.inner, reach = beyond == Beyond::linear && counted <= 1 ? counted + 1 : counted;
    const auto said = [&](bool slopes) {
      const std::vector<double> first = s.outputs(s.knots[s.first()], slopes), last = s.outputs(s.knots[s.last()], slopes);
      return at.pick(s.splines(), [=, &at, this, n = s.splines()](int64_t place, int64_t k) {
        if (!at.outside[size_t(place)]) return 0.0;
        if (beyond == Beyond::error) return __builtin_nan("");  // the library refuses such rows
        if (place ? k < n - reach : k >= reach) return 0.0;
        return (place ? last : first)[size_t(k)];
      });
    };
    const Expr ends = said(false);
    if (beyond != Beyond::linear || s.degree == 0) return ends;
    const Expr off = x - at.pick([&](int64_t place) { return s.knots[place ? s.last() : s.first()]; });
    return ends + off * said(true);
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
