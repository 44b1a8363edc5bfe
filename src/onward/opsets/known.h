// What is known of a graph's values while it is rewritten: types, sizes as far as they are stated, constants.
#pragma once
#include <unordered_map>

#include "onward/model/graph.h"
#include "onward/model/symbols.h"

namespace onward {

struct Knowledge {
  TypeInfo::Kind kind = TypeInfo::Kind::none;             // none: nothing is known of the type
  DataType element = DataType::none;                      // of the tensors in it
  std::optional<Dims> dims = {};                          // sizes may be symbols (model/dims.h)
  std::optional<Tensor> value = {};                       // of a constant
  std::optional<Dims> sizes = {};                         // of an integer vector or scalar: its items as far as known
};

// Of one graph; what is not known here is looked up in the graph around it.
class Known {
 public:
  explicit Known(const Known* outer = nullptr) : outer_(outer) {}

  void declare(const Graph& graph);                       // inputs, initializers, declared types
  void constant(const std::string& name, const Tensor& value);
  void set(const std::string& name, Knowledge what);
  // The outputs of a node of this opset of its domain. What cannot be said stays as declared; nothing is thrown.
  void learn(const Node& node, int64_t opset);
  const Knowledge& of(const std::string& name) const;

 private:
  Knowledge declared(const ValueInfo& info);
  void infer(const Node& node, int64_t opset);
  void infer_newest(const Node& node, const std::map<std::string, Tensor, std::less<>>& made);
  void merge(const std::string& name, Knowledge found);

  const Known* outer_;
  Symbols symbols_;
  std::unordered_map<std::string, Knowledge> values_;
};

}  // namespace onward
