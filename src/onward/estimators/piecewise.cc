#include "onward/estimators/piecewise.h"

#include <algorithm>

#include "onward/estimators/tree_ensemble.h"

namespace onward {
namespace {

// A search tree whose leaves are counts: as deep as the logarithm of the knots, where comparing with each would be as wide as all.
Expr search(Expr x, const Numbers& knots, Test test) {
  auto trees = std::make_shared<TreeEnsemble>();
  trees->features = 1;
  Tree& tree = trees->trees.emplace_back();
  struct Range {
    int64_t from, to;  // of counts that are still possible
    int32_t parent;
    bool yes;
  };
  std::vector<Range> open = {{0, knots.size(), -1, false}};
  for (size_t next = 0; next < open.size(); ++next) {
    const Range r = open[next];
    const auto at = int32_t(tree.nodes.size());
    if (r.parent >= 0) (r.yes ? tree.nodes[size_t(r.parent)].yes : tree.nodes[size_t(r.parent)].no) = at;
    if (r.from == r.to) {
      tree.nodes.push_back({.split = double(r.from)});
      continue;
    }
    const int64_t middle = r.from + (r.to - r.from) / 2;  // x before knot `middle`: at most `middle` knots count
    tree.nodes.push_back({.split = knots[middle], .feature = 0, .yes = 0, .no = 0, .test = test});
    open.push_back({r.from, middle, at, true});
    open.push_back({middle + 1, r.to, at, false});
  }
  const Dims shape = x.shape();
  const Expr found = cast(tree_sum(shape.size() == 2 ? x : reshaped(x, {rows, 1}), trees), DataType::i64);
  return reshaped(found, shape.size() == 2 ? Dims{rows, 1} : Dims{rows});
}

Expr limited(Expr i, int64_t least, int64_t most) {
  return minimum(maximum(i, Array<int64_t>{least}), Array<int64_t>{most});
}

}  // namespace

Expr count_up_to(Expr x, const Numbers& knots) { return search(x, knots, Test::lt); }
Expr count_below(Expr x, const Numbers& knots) { return search(x, knots, Test::le); }

Expr Piecewise::operator()(Expr at, Beyond beyond) const {
  const int64_t n = x.size();
  if (n == 0 || y.size() != n) fail(Code::bad_file, "a line of ", n, " knots has ", y.size(), " values");
  if (n == 1) return pick(y, limited(count_up_to(at, x), 0, 0));
  const DataType type = narrow ? DataType::f32 : DataType::f64;
  const Expr in = cast(cast(at, type), DataType::f64);
  // Which piece: numpy.interp takes the one right of an equal knot, scipy the one left of it.
  const Expr piece = limited((narrow ? count_below(in, x) : count_up_to(in, x)) - Array<int64_t>{1}, 0, n - 2);
  const auto exact = [&](double v) { return narrow ? double(float(v)) : v; };
  const auto slope = [&](int64_t i) {
    if (narrow) return double(float(float(y[i + 1]) - float(y[i])) / float(float(x[i + 1]) - float(x[i])));
    return (y[i + 1] - y[i]) / (x[i + 1] - x[i]);
  };
  const auto table = [&](auto item) { return cast(pick(Numbers::of({n - 1}, item), piece), type); };
  const Expr left = table([&](int64_t i) { return exact(x[i]); }), low = table([&](int64_t i) { return exact(y[i]); });
  Expr line = cast(table(slope) * (cast(in, type) - left) + low, DataType::f64);
  if (!narrow) line = where(in >= x[n - 1], Numbers{y[n - 1]}, line);  // not by way of the slope
  const double below = beyond == Beyond::nan ? __builtin_nan("") : y[0], above = beyond == Beyond::nan ? __builtin_nan("") : y[n - 1];
  return where(in < x[0], Numbers{below}, where(in > x[n - 1], Numbers{above}, line));
}

}  // namespace onward
