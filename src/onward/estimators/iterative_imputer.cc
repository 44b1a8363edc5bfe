// IterativeImputer: gaps filled simply, then again and again by models of each column on the others, as often as training did.
#include "onward/estimators/missing_values.h"

namespace onward {

struct IterativeImputer {
  struct Step {
    int64_t column;
    std::vector<int64_t> others;
    Estimator model;
  };
  MissingValues missing;
  Estimator initial;
  std::vector<Step> steps;
  int64_t rounds = 0;
  bool keep_empty = false;
  Array<int64_t> kept;  // the columns of the table that are not left out
  std::optional<Numbers> least, most;
  std::optional<Array<int64_t>> indicated;

  void learned(Fields& f) {
    missing.learned(f);
    bool drawn = false;
    f.since("sample_posterior", drawn);
    if (drawn) return f.refuse("sample_posterior", "is True: gaps are filled at random", "fit with sample_posterior=False");
    f("initial_imputer_", initial);
    f("n_iter_", rounds);
    f.since("keep_empty_features", keep_empty);
    read_indicated(f, indicated, std::max<int64_t>(0, f.facts().n_features_in));
    read_kept(f);
    if (rounds > 0) {
      f("_min_value", least, {"kept"});
      f("_max_value", most, {"kept"});
      read_steps(f);
    }
  }
  bool takes_missing(const Frame&) const { return missing.kind == MissingValues::Kind::nan; }

  Outputs operator()(const Frame& x) const {
    const Expr given = x.numbers(), absent = missing.among_numbers(given);
    Frame filled = *initial(x).transform;
    if (filled.size() != kept.size()) fail(Code::bad_file, "initial_imputer_ gives ", filled.size(), " columns; expected ", kept.size());
    std::vector<Expr> now;
    for (int64_t i = 0; i < filled.size(); ++i) now.push_back(filled.number(i));
    for (const Step& s : steps) {
      Frame others;
      for (int64_t o : s.others) others.append(Frame(now[size_t(o)]));
      Outputs out = s.model(others);
      if (!out.predict) fail(Code::unsupported_estimator, "estimator: ", s.model.facts().class_name, " predicts no numbers");
      const Expr guess = cast(reshaped(*out.predict, {rows, 1}), DataType::f64);
      const double low = least ? (*least)[s.column] : -HUGE_VAL, high = most ? (*most)[s.column] : HUGE_VAL;
      const Expr bounded = minimum(maximum(guess, low), high);
      now[size_t(s.column)] = where(columns(absent, {kept[s.column]}), bounded, now[size_t(s.column)]);
    }
    Frame out = filled.all_replaced(concat(now), Frame::Keeps::values);
    if (indicated && indicated->size()) out.append(missing_indicators(x, columns(absent, {indicated->begin(), indicated->end()}), *indicated));
    return transformed(out);
  }

 private:
  // Columns that were all missing in training are left out, since 1.2 perhaps kept.
  void read_kept(Fields& f) {
    const int64_t n = f.facts().n_features_in;
    if (n < 1 || n > 1'000'000) return f.bad("n_features_in_", text("is ", n));
    std::vector<int64_t> which;
    Tensor empty;
    if (!keep_empty && f.get("_is_empty_feature")) f("_is_empty_feature", empty, {"features"});
    for (int64_t i = 0; i < n; ++i)
      if (!empty || empty.type() != DataType::b8 || i >= empty.size() || !empty.data<bool>()[i]) which.push_back(i);
    kept = Array<int64_t>({int64_t(which.size())}, which);
    f.check("_is_empty_feature", kept.shape(), {"kept"});
  }
  void read_steps(Fields& f) {
    const auto list = f.get("imputation_sequence_");
    if (!list) return f.bad("imputation_sequence_", "is missing: the estimator is not fitted");
    for (const plain::Value& item : f.items_of("imputation_sequence_", *list)) {
      const std::span<const plain::Value> parts = item.is(plain::Kind::object) ? item.object->args.items() : item.items();
      if (parts.size() != 3 || !parts[0].is(plain::Kind::integer)) return f.bad("imputation_sequence_", "holds no (column, other columns, model)");
      Step step{parts[0].integer, {}, {}};
      Array<int64_t> others;
      f.assign("imputation_sequence_", parts[1], others, {});
      if (!others || step.column < 0 || step.column >= kept.size()) return f.bad("imputation_sequence_", text("names column ", step.column));
      for (int64_t o : others) {
        if (o < 0 || o >= kept.size()) return f.bad("imputation_sequence_", text("names column ", o, " of ", kept.size()));
        step.others.push_back(o);
      }
      step.model = f.estimator(parts[2], text("model of column ", kept[step.column]));
      if (!f.ok()) return;
      steps.push_back(std::move(step));
    }
  }
};

Definitions iterative_imputer_estimators() {
  return {
      // A round feeds on the one before: the library itself stops when they differ by 1e-3.
      reads<IterativeImputer>("sklearn.impute.IterativeImputer",
                              {.cases = {"(random_state=0)", "(max_iter=3, min_value=-1, max_value=[1, 2, 1, 2, 1.5], random_state=0)",
                                         "(Ridge(), initial_strategy='median', add_indicator=True, imputation_order='descending')", "(max_iter=0)"},
                               .data = "gaps",
                               .tolerance = 1e-12}),
      reads<IterativeImputer>("sklearn.impute.IterativeImputer",
                              {.cases = {"(DecisionTreeRegressor(max_depth=4, random_state=0), max_iter=2, random_state=0, n_nearest_features=2)"}, .data = "missing"}),
  };
}

}  // namespace onward
