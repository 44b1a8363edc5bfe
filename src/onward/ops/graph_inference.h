// What can be told of the values of a graph before it runs: one walk along its nodes, down into their subgraphs.
#pragma once
#include <deque>

#include "onward/base/names.h"
#include "onward/ops/custom.h"

namespace onward {

// The types of a graph's values by name, and of the graphs inside its nodes by "<first output>/<attribute>".
struct GraphTypes {
  ByName<TypeInfo> values;
  std::map<std::string, GraphTypes, std::less<>> bodies;
};

// What the graphs of one model share while they are walked.
struct SharedInference {
  const CustomOperators& custom;
  Symbols symbols = {};
  std::deque<Tensor> values = {};                        // what small nodes with constant inputs answer
  std::vector<Error> problems = {};                      // the first hundred
  int64_t visits_left = 0;                               // of nodes; bounds what loops in loops cost
  bool believe = true;                                   // sizes that the file declares for values other than inputs

  void add(Error problem);
};

// The graph must be of the newest opset and outlive this. Nodes that nothing is known of leave unknown values.
class GraphInference {
 public:
  GraphInference(const Graph& graph, SharedInference& shared, const GraphInference* outer = nullptr);
  ~GraphInference();

  void walk(std::span<const Fact> arguments);            // of the inputs that are no initializers; may be called again with others
  const Fact* find(std::string_view name) const;         // here or in the graphs around this one
  std::vector<Fact> outputs() const;
  GraphTypes types() const;

 private:
  struct Inside;
  void visit(const Node& node);
  void infer(const Node& node, const Operator& op, std::span<Fact> inputs, std::span<Fact> outputs);
  std::shared_ptr<const void> prepared(const Node& node, const Operator& op);
  void set(const std::string& name, Fact fact);

  const Graph& graph_;
  SharedInference& shared_;
  const GraphInference* outer_;
  ByName<Fact> facts_;
  std::unordered_map<const Node*, std::shared_ptr<const void>> prepared_;        // of a body: it may be walked more than once
  std::map<std::string, std::shared_ptr<const Inside>, std::less<>> bodies_;
  ByBorrowedName<const ValueInfo*> declared_;
};

// Between declared types and facts; `symbols` names the sizes.
TypeInfo type_of_fact(const Fact& fact, const Symbols& symbols);
// What is wrong with the declared type of a value of which `fact` is known; empty where they agree.
std::string contradiction(const TypeInfo& declared, const Fact& fact, const Symbols& symbols);
// The fact with what only the declaration knows.
Fact completed(Fact fact, const TypeInfo& declared, Symbols& symbols);

}  // namespace onward
