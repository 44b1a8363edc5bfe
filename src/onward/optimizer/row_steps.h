// Which nodes of a graph treat every row of a batch on its own: row i of what they make depends on row i of what they read, and on
// constants. The batch is the first axis, of a size that only the caller knows.
#pragma once
#include "onward/base/names.h"
#include "onward/model/graph.h"
#include "onward/ops/inference.h"

namespace onward {

class RowSteps {
 public:
  explicit RowSteps(const Graph& graph);
  const std::vector<bool>& by_rows() const { return by_rows_; }          // of each node
  TypeInfo type_of(const std::string& value) const;                     // of a value with rows; of others nothing
  int64_t row_bytes(size_t node) const { return row_bytes_[node]; }      // of all values with rows that a node reads and makes

 private:
  struct Site;
  using Condition = bool (*)(const Site&);
  static const std::map<std::string_view, Condition>& conditions();
  void start(const Graph& graph);
  bool step(const Graph& graph, const Node& node);
  bool has_rows(const Fact& fact) const;
  int64_t bytes_of(const std::string& value) const;

  int64_t batch_ = 0;                                    // the symbol
  Symbols symbols_;
  ByBorrowedName<Fact> facts_;                           // of values with rows, while the graph is walked
  std::vector<bool> by_rows_;
  std::vector<int64_t> row_bytes_;
};

}  // namespace onward
