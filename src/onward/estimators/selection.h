// What every selector of features is: the columns that it keeps.
#pragma once
#include "onward/estimators/fields.h"

namespace onward {

// Models that take missing values themselves: their selectors let them through.
bool takes_gaps(const std::optional<plain::Value>& estimator);

struct Selector {
  std::vector<int64_t> kept;
  bool gaps = false;

  bool takes_missing(const Frame&) const { return gaps; }
  bool takes_infinity(const Frame&) const { return gaps; }
  Outputs operator()(const Frame& x) const { return transformed(chosen(x)); }

 protected:
  // The library looks at every column for what it refuses, at those that it leaves out, too.
  Frame chosen(const Frame& x) const {
    for (int64_t i = 0; i < x.size() && !gaps; ++i)
      if (!x.is_text(i)) x.number(i);
    return x.select(kept);
  }
  void keep(const std::vector<bool>& mask) {
    for (size_t i = 0; i < mask.size(); ++i)
      if (mask[i]) kept.push_back(int64_t(i));
  }
  void read_support(Fields& f);
};

}  // namespace onward
