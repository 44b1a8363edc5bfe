// Who makes a value and who reads it. Valid while the graph's nodes stay where they are.
#pragma once
#include <unordered_map>

#include "onward/optimizer/uses.h"

namespace onward {

class Links {
 public:
  explicit Links(const Graph& graph) : graph_(graph) {
    for (size_t i = 0; i < graph.nodes.size(); ++i) {
      for (const std::string& o : graph.nodes[i].outputs) if (!o.empty()) values_[o].maker = i;
      for_each_read(graph.nodes[i], [&](const std::string& name) {
        auto& readers = values_[name].readers;
        if (readers.empty() || readers.back() != i) readers.push_back(i);       // a node that reads it twice is one reader
      });
    }
    for (const ValueInfo& v : graph.outputs) values_[v.name].is_output = true;
  }
  bool makes(const std::string& value) const { return values_.contains(value); }
  const Node* maker(const std::string& value) const {
    const auto it = values_.find(value);
    return it == values_.end() || it->second.maker == nobody ? nullptr : &graph_.nodes[it->second.maker];
  }
  size_t place(const Node& node) const { return size_t(&node - graph_.nodes.data()); }
  // Null where nobody reads it, or several do, or the graph returns it.
  const Node* only_reader(const std::string& value) const {
    const auto it = values_.find(value);
    return it == values_.end() || it->second.is_output || it->second.readers.size() != 1 ? nullptr : &graph_.nodes[it->second.readers[0]];
  }

 private:
  static constexpr size_t nobody = SIZE_MAX;
  struct Value { size_t maker = nobody; std::vector<size_t> readers; bool is_output = false; };
  const Graph& graph_;
  std::unordered_map<std::string, Value> values_;
};

}  // namespace onward
