// Who makes a value and who reads it. Valid while the graph's nodes stay where they are and are called what they are.
#pragma once
#include <map>

#include "onward/optimizer/uses.h"

namespace onward {

class Links {
 public:
  explicit Links(const Graph& graph);
  bool makes(std::string_view value) const { return values_.contains(value); }
  const Node* maker(std::string_view value) const;
  size_t place(const Node& node) const { return size_t(&node - graph_.nodes.data()); }
  // Null where nobody reads it, or several do, or the graph returns it.
  const Node* only_reader(std::string_view value) const;
  bool is_read_once(std::string_view value) const;       // by one input of one node, and the graph does not return it
  bool is_output(std::string_view value) const;

 private:
  static constexpr size_t nobody = SIZE_MAX, several = SIZE_MAX - 1;
  struct Value { size_t maker = nobody, reader = nobody, reads = 0; bool is_output = false; };
  const Value* find(std::string_view value) const {
    const auto it = values_.find(value);
    return it == values_.end() ? nullptr : &it->second;
  }
  const Graph& graph_;
  ByBorrowedName<Value> values_;
};

// How a pass ends: nodes of `made` take the places that they are for, and of the others those that are `gone` go. How many were made.
int replace_nodes(Graph& graph, std::map<size_t, Node> made, const std::vector<bool>& gone);

}  // namespace onward
