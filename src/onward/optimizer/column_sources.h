// Which inputs of a graph the columns of a matrix come from, and by which steps: numbers that are imputed and scaled, words that become
// one-hot columns.
#pragma once
#include "onward/ops/column_scores.h"
#include "onward/optimizer/links.h"

namespace onward {

class ColumnSources {
 public:
  using Leaves = std::vector<ColumnPlan::Leaf>;
  ColumnSources(const Graph& graph, const Links& links) : graph_(graph), links_(links) {}
  // Nothing where any column is something else, or the numbers are not of this type.
  std::optional<Leaves> of(const std::string& matrix, DataType type) const;

 private:
  struct Found {
    Leaves leaves;
    bool deep = false;                                    // [rows, 1, columns]
  };
  using Maybe = std::optional<Found>;
  Maybe find(const std::string& value, DataType type, int depth) const;
  Maybe input(const std::string& name, DataType type) const;
  Maybe concat(const Node& node, DataType type, int depth) const;
  Maybe arithmetic(const Node& node, ColumnPlan::Step step, DataType type, int depth) const;
  Maybe imputed_where(const Node& node, DataType type, int depth) const;
  Maybe imputer(const Node& node, int depth) const;
  Maybe scaler(const Node& node, int depth) const;
  Maybe flattened(const Node& node, DataType type, int depth) const;
  Maybe one_hot(const Node& node) const;
  Maybe table_rows(const Node& node, DataType type) const;
  bool is_words(const std::string& name) const;           // an input of texts, one for each row

  const Graph& graph_;
  const Links& links_;
};

}  // namespace onward
