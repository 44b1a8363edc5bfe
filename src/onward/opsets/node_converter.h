// The nodes of one graph for other opsets.
#pragma once
#include "onward/base/refusal.h"
#include "onward/opsets/lowering.h"
#include "onward/ops/rewriting.h"

namespace onward {

// A node that the target has no words for.
struct WithoutForm {
  std::string domain;
  Problem problem;
};

// Shared by a model's graphs.
struct OpsetChange {
  const std::vector<Function>& functions;
  Opsets target;
  ValueNames names = {};
  std::set<std::string> put_in_place = {};                // keys of functions whose calls become their nodes
  std::vector<std::string> lost = {};
  std::set<std::string> notes = {};
  std::vector<WithoutForm>* refused = nullptr;            // takes the nodes of the main graph; null: the first one is thrown
  size_t changed = 0, nodes = 0;

  const Function* function(const Node& node) const;
};

class NodeConverter {
 public:
  NodeConverter(Graph& graph, OpsetChange& shared, const Known* outer, int depth);

  void run(const Opsets& from);                           // all nodes of the graph, in place
  Known& known() { return known_; }

 private:
  Graph& graph_;
  OpsetChange& shared_;
  Known known_;
  int depth_;
  std::vector<Node> done_;

  void convert(Node node, const Opsets& opsets, int depth);
  void rewrite(Node node, const Opsets& opsets, int64_t opset, int64_t target, int depth);
  void lower(Node node, const Opsets& opsets, int64_t opset, int depth);
  void raise(Node node, const Opsets& opsets, int64_t opset, int64_t target, int depth);
  void expand(const Node& node, const Signature& form, std::string_view body, const Opsets& opsets, int depth);
  bool expand_meaning(const Node& node, int64_t opset, int depth);
  void with_types(Node node, const Signature& then, const Opsets& opsets, int depth);
  void constant(Node node, const Signature& then, const Opsets& opsets);
  void emit(Node node, const Opsets& opsets);
};

}  // namespace onward
