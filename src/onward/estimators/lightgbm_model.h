// A LightGBM model as its file says it: trees, and the objective that makes answers of their sums.
#pragma once
#include "onward/estimators/lightgbm_tree.h"

namespace onward {

struct LightgbmObjective {
  enum class Link : uint8_t { none, square, exponential, logistic, softmax, log1p_exp };
  enum class Task : uint8_t { numbers, two_classes, many_classes };
  Link link = Link::none;
  Task task = Task::numbers;
  double steepness = 1;  // of the logistic function
};

struct LightgbmModel {
  LightgbmObjective objective;
  int64_t outputs = 1;
  std::vector<LightgbmTree> trees;  // round after round, an output each
  bool averaged = false;            // of a random forest: answers are of the mean; raw scores are the sum all the same
  ColumnCategories categories;
  Facts facts;

  static LightgbmModel read(const plain::Value& state);
  void keep_rounds(int64_t rounds);
  int64_t rounds() const { return int64_t(trees.size()) / outputs; }
};

// The model as formulas. Its trees see some columns in another way than the table has them.
class LightgbmFormula {
 public:
  explicit LightgbmFormula(const LightgbmModel& model);
  Expr input(const Frame& x) const;  // double (batch, features): as the file counts them
  Expr scores(Expr input) const;     // double (batch, outputs)
  Expr leaves(Expr input) const;
  Expr answers(Expr scores) const;

 private:
  Expr seen(Expr input) const;  // the columns that the trees test
  Expr linear_scores(Expr input) const;
  Expr linear_tree(const LightgbmTree&, Expr padded, Expr leaf) const;
  const LightgbmModel& model_;
  std::shared_ptr<TreeEnsemble> trees_ = std::make_shared<TreeEnsemble>();
  std::vector<int64_t> more_;        // features that stand again behind the others, to be seen in a second way
  std::vector<LightgbmView> views_;  // by column of what the trees test
  bool linear_ = false;
};

}  // namespace onward
