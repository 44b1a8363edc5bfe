// An XGBoost model as its file says it: trees or weights, the margin they start from, and the objective that makes answers of sums.
#pragma once
#include "onward/estimators/booster_inputs.h"
#include "onward/estimators/booster_values.h"

namespace onward {

struct XgboostObjective {
  enum class Base : uint8_t { as_is, logit, log };                           // from base_score to a margin
  enum class Link : uint8_t { none, logistic, exponential, softmax, step };  // from margins to answers
  enum class Task : uint8_t { numbers, two_classes, many_classes };
  std::string_view name;
  Base base = Base::as_is;
  Link link = Link::none;
  Task task = Task::numbers;
};

struct XgboostModel {
  XgboostObjective objective;
  int64_t outputs = 1;
  std::shared_ptr<const TreeEnsemble> trees;           // the base margin is the first trees; empty: linear
  std::shared_ptr<const TreeEnsemble> in_place_trees;  // of a model with dropout, as inplace_predict adds them; else empty
  Array<float> weights;                                // (features + 1, outputs) of a linear booster; the last row is the bias
  std::vector<float> base;                             // margins, by output
  int64_t leading = 0;                                 // trees that are the base margin
  std::vector<int64_t> rounds;                         // where each round of training ends among the trees
  ColumnCategories categories;
  Facts facts;
  std::optional<int64_t> best_iteration;
  std::string wrapper;  // "classifier", "regressor", "ranker": saved by the class of scikit-learn; else empty

  static XgboostModel read(const plain::Value& state);
  XgboostModel for_wrapper() const;                  // as the classes of scikit-learn predict: in place, up to the best round
  Expr input(const Frame& x, double missing) const;  // float (batch, features)
  Expr margin(Expr input) const;                     // float (batch, outputs)
  std::optional<Expr> leaves(Expr input) const;
};

}  // namespace onward
