#include "onward/estimators/isotonic.h"

namespace onward {

void IsotonicRegression::learned(Fields& f) {
  f.one_column();
  f("X_thresholds_", line.x, {"knots"});
  f("y_thresholds_", line.y, {"knots"});
  f("X_min_", least);
  f("X_max_", most);
  // Where the library raises for a number outside, a graph can only give none.
  f.choice("out_of_bounds", beyond, {{"nan", Beyond::nan}, {"raise", Beyond::nan}, {"clip", Beyond::ends}});
  if (!f.ok() || line.x.size() == 0) return;
  if (!std::ranges::is_sorted(line.x)) f.bad("X_thresholds_", "does not ascend");
  line.narrow = f.float32("X_thresholds_");
}

Expr IsotonicRegression::value(Expr x) const {
  if (beyond == Beyond::ends) x = minimum(maximum(x, least), most);
  return line(x, beyond);
}

Outputs IsotonicRegression::operator()(Expr x) const {
  const Expr y = value(x);
  Outputs out = regressor(reshaped(y, {rows}));
  out.transform = Frame(y, std::vector<std::string>{"isotonicregression0"});
  return out;
}

Definitions isotonic_estimators() {
  return {reads<IsotonicRegression>("sklearn.isotonic.IsotonicRegression",
                                    {.cases = {"()", "(out_of_bounds='clip')", "(increasing=False)",
                                               "(increasing='auto', y_min=-.5, y_max=.5)"},
                                     .data = "one"})};
}

}  // namespace onward
