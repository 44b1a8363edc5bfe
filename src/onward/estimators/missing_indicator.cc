// MissingIndicator: which items are missing, for the columns that had gaps in training or for all.
#include "onward/estimators/missing_values.h"

namespace onward {

struct MissingIndicator {
  MissingValues missing;
  std::optional<Array<int64_t>> which;
  std::optional<bool> sparse;  // none: as what it is given

  void learned(Fields& f) {
    missing.learned(f);
    f("features_", which, {"indicated"});
    if (const auto v = f.get("sparse"); v && v->is(plain::Kind::boolean)) sparse = v->boolean;
    if (!which) return f.bad("features_", "is missing: the estimator is not fitted");
    for (int64_t c : *which)
      if (c < 0 || (f.facts().n_features_in >= 0 && c >= f.facts().n_features_in))
        return f.bad("features_", text("names column ", c, " of ", f.facts().n_features_in));
  }
  bool takes_missing(const Frame& x) const { return missing.takes_missing(any_text(x)); }
  Outputs operator()(const Frame& x) const {
    const std::vector<int64_t> chosen(which->begin(), which->end());
    if (chosen.empty()) return transformed(Frame());
    const Frame seen = x.select(chosen);
    missing.tell_imputed(x);
    if (!any_text(seen)) return transformed(indicators(x, missing.among_numbers(seen.numbers())));
    std::vector<Expr> gone;
    for (int64_t i = 0; i < seen.size(); ++i)
      gone.push_back(is_text(seen, i) ? missing.among_words(seen, i) : missing.among_numbers(seen.number(i)));
    return transformed(indicators(x, concat(gone)));
  }

 private:
  Frame indicators(const Frame& x, Expr gone) const {
    Frame out = missing_indicators(x, gone, *which);
    out.sparse = sparse.value_or(x.sparse);
    return out;
  }
  // What was fitted does not say which columns were text; a missing value that is a word, or None, does.
  bool is_text(const Frame& x, int64_t i) const {
    return x.is_text(i) || missing.kind == MissingValues::Kind::word || missing.kind == MissingValues::Kind::none;
  }
  bool any_text(const Frame& x) const {
    for (int64_t i = 0; i < x.size(); ++i)
      if (is_text(x, i)) return true;
    return false;
  }
};

Definitions missing_indicator_estimators() {
  return {
      reads<MissingIndicator>("sklearn.impute.MissingIndicator", {.cases = {"()", "(features='all')"}, .data = "missing"}),
      reads<MissingIndicator>("sklearn.impute.MissingIndicator", {.cases = {"(missing_values=0.5, features='all')"}, .data = "ratings"}),
      reads<MissingIndicator>("sklearn.impute.MissingIndicator", {.cases = {"(missing_values='red')"}, .data = "text"}),
      reads<MissingIndicator>("sklearn.impute.MissingIndicator", {.cases = {"(missing_values=None)"}, .data = "none"}),
  };
}

}  // namespace onward
