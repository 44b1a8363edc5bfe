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
  bool of_one_form_with(const BSpline& other) const {
    return degree == other.degree && inner == other.inner && knots.size() == other.knots.size() && splines() == other.splines();
  }

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
    for (size_t begin = 0, end; begin < columns.size(); begin = end) {
      for (end = begin + 1; end < columns.size() && columns[end].of_one_form_with(columns[begin]);) ++end;
      const std::span<const BSpline> of(&columns[begin], end - begin);
      const int64_t width = of[0].splines(), kept = width - (bias ? 0 : 1);
      std::vector<int64_t> from, which;
      for (size_t i = begin; i < end; ++i) {
        from.push_back(int64_t(i));
        for (int64_t k = 0; k < kept; ++k) which.push_back(int64_t(i - begin) * width + k), names.push_back(text(x.name(int64_t(i)), "_sp_", k));
      }
      if (kept == 0) continue;
      const Expr y = values(of, x.select(from).numbers());
      parts.push_back(bias ? y : onward::columns(y, which));
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

  // Columns of one form, and where their items lie: below the first knot, in one of the intervals, or above the last knot, which itself is
  // within.
  struct Places {
    std::span<const BSpline> of;
    int64_t each;   // places of a column
    bool ends;      // no spline is outside
    Expr at;        // (batch, columns): a column's number times `each`, and the place
    // Where the interval begins.
    int64_t knot(int64_t place) const { return of[0].first() + std::clamp<int64_t>(place - 1, 0, std::max<int64_t>(each - 3, 0)); }
    bool outside(int64_t place) const { return ends && (place == 0 || place == each - 1); }
    int64_t columns() const { return int64_t(of.size()); }
    // f(column's spline, place) for every item: (batch, columns)
    Expr pick(auto&& f) const {
      return onward::pick(Numbers::of({columns() * each}, [&](int64_t i) { return f(of[size_t(i / each)], i % each); }), at);
    }
    // f(column's spline, place, k) for every item and each of its splines: (batch, columns, splines)
    Expr pick_all(auto&& f) const {
      const int64_t width = of[0].splines();
      return onward::pick(Numbers::of({columns() * each, width}, [&](int64_t i) { return f(of[size_t(i / width / each)], i / width % each, i % width); }), at);
    }
    // What one number of each item is to all of its splines.
    Expr to_all(Expr one) const { return reshaped(one, {rows, columns(), 1}); }
  };
  Places places(std::span<const BSpline> of, Expr x) const {
    const int64_t intervals = of[0].last() - of[0].first(), each = intervals + 2;
    const Numbers ends = Numbers::of({int64_t(of.size()), intervals + 1}, [&](int64_t i) {
      const BSpline& s = of[size_t(i / (intervals + 1))];
      const int64_t k = i % (intervals + 1);
      return k == intervals ? std::nextafter(s.knots[s.last()], HUGE_VAL) : s.knots[s.first() + k];
    });
    const auto before = Array<int64_t>::of({int64_t(of.size())}, [&](int64_t i) { return i * each; });
    return {of, each, beyond != Beyond::goes_on && beyond != Beyond::periodic, count_at_most(x, ends) + before};
  }

  // (batch, columns * splines) of x (batch, columns)
  Expr values(std::span<const BSpline> of, Expr x) const {
    const auto knots = [&](auto&& place) { return Numbers::of({int64_t(of.size())}, [&](int64_t i) { return of[size_t(i)].knots[place(of[size_t(i)])]; }); };
    const Numbers least = knots([](const BSpline& s) { return s.first(); }), most = knots([](const BSpline& s) { return s.last(); });
    const Expr given = x;
    if (beyond == Beyond::periodic) x = wrapped(x, least, most);
    const Places at = places(of, x);
    const std::vector<Expr> h = bases(at, at.ends ? minimum(maximum(x, least), most) : x);
    std::optional<Expr> y;
    for (int64_t n = 0; n <= of[0].degree; ++n) {
      const Expr c = at.pick_all([&](const BSpline& s, int64_t place, int64_t k) { return at.outside(place) ? 0.0 : s.coefficients(at.knot(place) - s.degree + n, k); });
      const Expr part = of[0].degree ? c * at.to_all(h[size_t(n)]) : c;
      y = y ? *y + part : part;
    }
    if (at.ends) y = *y + outer(at, x);
    if (zeros) y = where(at.to_all(is_nan(given)), 0.0, *y);
    return reshaped(*y, {rows, int64_t(of.size()) * of[0].splines()});
  }
  // BSpline::bases of every item.
  static std::vector<Expr> bases(const Places& at, Expr x) {
    const int64_t degree = at.of[0].degree;
    std::vector<Expr> h, to_above, from_below;  // from knot j + 1 on, from knot j downwards
    const auto knot = [&](int64_t offset) { return at.pick([&](const BSpline& s, int64_t place) { return s.knots[at.knot(place) + offset]; }); };
    for (int64_t n = 0; n < degree; ++n) to_above.push_back(knot(n + 1) - x), from_below.push_back(x - knot(-n));
    for (int64_t level = 1; level <= degree; ++level) {
      const std::vector<Expr> before = std::exchange(h, {});
      for (int64_t n = 1; n <= level; ++n) {
        const auto width = [&](const BSpline& s, int64_t place) {
          const double d = s.knots[at.knot(place) + n] - s.knots[at.knot(place) + n - level];
          return d == 0 ? HUGE_VAL : d;  // such a spline is nothing
        };
        const Expr w = level == 1 ? at.pick([&](const BSpline& s, int64_t place) { return 1 / width(s, place); }) : before[size_t(n) - 1] / at.pick(width);
        const Expr rest = w * to_above[size_t(n) - 1];
        if (n == 1) h.push_back(rest);
        else h.back() = h.back() + rest;
        h.push_back(w * from_below[size_t(level - n)]);
      }
    }
    return h;
  }
  // What stands for the splines below the first knot and above the last; 0 elsewhere.
  Expr outer(const Places& at, Expr x) const {
    const int64_t counted = at.of[0].degree + at.of[0].inner, reach = beyond == Beyond::linear && counted <= 1 ? counted + 1 : counted;
    const auto said = [&](bool slopes) {
      std::map<std::pair<const BSpline*, int64_t>, std::vector<double>> known;  // at each column's ends
      return at.pick_all([&](const BSpline& s, int64_t place, int64_t k) {
        if (!at.outside(place)) return 0.0;
        if (beyond == Beyond::error) return __builtin_nan("");  // the library refuses such rows
        if (place ? k < s.splines() - reach : k >= reach) return 0.0;
        auto& end = known[{&s, place}];
        if (end.empty()) end = s.outputs(s.knots[place ? s.last() : s.first()], slopes);
        return end[size_t(k)];
      });
    };
    const Expr ends = said(false);
    if (beyond != Beyond::linear || at.of[0].degree == 0) return ends;
    const Expr off = x - at.pick([&](const BSpline& s, int64_t place) { return s.knots[place ? s.last() : s.first()]; });
    return ends + at.to_all(off) * said(true);
  }
  // Into the period; a column without one has no answer but 0.
  static Expr wrapped(Expr x, const Numbers& least, const Numbers& most) {
    const auto period = [&](int64_t i) { return most[i] - least[i]; };
    const Numbers length = Numbers::of({least.size()}, [&](int64_t i) { return period(i) > 0 ? period(i) : 1; });
    const Numbers kept = Numbers::of({least.size()}, [&](int64_t i) { return period(i) > 0 ? 1 : 0; });
    const Expr off = x - least;
    const Expr rest = x.graph->add("Mod", {off, x.graph->constant(length.tensor())}, {{"fmod", int64_t{1}}}, Result{DataType::f64, x.shape()});
    return (least + where(rest < 0.0, rest + length, rest)) * kept;
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
