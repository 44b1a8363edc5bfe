// An ONNX graph under construction. Every value knows its type and shape from the moment it is written down; the same operation
// on the same values is one node; what no output needs is never written. Belongs to one thread.
#pragma once
#include <functional>
#include <set>

#include "onward/model/graph.h"
#include "onward/model/symbols.h"

namespace onward {

class GraphBuilder;

// As many as there are rows: the symbol "batch" of every builder.
inline constexpr int64_t rows = first_symbol - 1;

// A value of a graph: cheap to copy, valid as long as its builder.
struct Expr {
  GraphBuilder* graph = nullptr;
  int id = -1;
  DataType type() const;
  const Dims& shape() const;
  const std::string& name() const;
  int64_t columns() const { return shape().size() < 2 ? 1 : shape()[1]; }
};
std::string shown(const Expr& e);  // "double [batch, 4]"

struct Result {
  DataType type;
  Dims shape;
};

class GraphBuilder {
 public:
  GraphBuilder();
  GraphBuilder(const GraphBuilder&) = delete;

  // An input's type may be none: the first line that uses it as something decides (see as_numbers, as_strings). As a number it is
  // a `number_type`, and cast to double where it is not one.
  DataType number_type = DataType::f64;
  Expr input(std::string name, DataType type, Dims shape);
  void decide(Expr input, DataType type);
  void drop_input(Expr input);  // nothing may have used it
  Expr constant(const Tensor& tensor);
  const Tensor* constant_value(Expr e) const;  // null where it is none
  Expr nothing() { return {this, -1}; }        // stands where a node leaves out an optional input
  Expr add(std::string op, std::vector<Expr> inputs, Attributes attributes, Result result, std::string domain = "");
  std::vector<Expr> add(std::string op, std::vector<Expr> inputs, Attributes attributes, std::vector<Result> results,
                        std::string domain = "");
  // A node whose attributes are large: they are made when the graph is, if an output needs the node. `same` names equal nodes.
  Expr add_large(std::string op, std::vector<Expr> inputs, std::function<Attributes()> attributes, const std::string& same, Result result,
                 std::string domain);

  // The version of a domain that nodes are written for; one that is not known yet takes at least `least`.
  int64_t use_domain(const std::string& domain, int64_t least = 1);

  // The body of a Loop, Scan or If. Its formulas may use its own inputs and constants, and values of this graph by way of `outer`.
  std::unique_ptr<GraphBuilder> body();
  Expr outer(Expr value);                             // in a body: the surrounding graph's value
  GraphRef finish(const std::vector<Expr>& results);  // the body, to be an attribute of a node of the surrounding graph

  // Names of nodes start with where they come from: "classifier/MatMul_3".
  class Scope {
   public:
    Scope(GraphBuilder& g, std::string_view part);
    ~Scope() { graph_.scope_ = before_; }

   private:
    GraphBuilder& graph_;
    std::string before_;
  };

  struct Output {
    std::string name;
    Expr value;
  };
  // An output is called as asked, with "_" behind it where an input has that name. Called once, at the end.
  Graph graph(const std::vector<Output>& outputs);
  Model model(const std::vector<Output>& outputs);

  std::string shown(const Dims& shape) const { return symbols_.shown(shape); }
  bool open(Expr e) const { return at(e.id).type == DataType::none; }  // an input that nothing has used yet
  const std::vector<int>& inputs() const { return inputs_; }
  Expr value(int id) { return {this, id}; }
  bool has(int id) const { return id >= 0 && size_t(id) < values_.size(); }
  Symbols& symbols() { return symbols_; }

 private:
  friend struct Expr;
  struct Value {
    std::string name;
    DataType type;
    Dims shape;
    int node;  // -1: an input, a constant, or a value of the surrounding graph
  };
  struct Draft {
    std::string op, domain, name;
    std::vector<int> inputs, outputs, borrowed;  // borrowed: what bodies among the attributes use of this graph
    Attributes attributes;
    std::function<Attributes()> large;
  };
  const Value& at(int id) const { return values_[size_t(id)]; }
  int new_value(std::string name, Result result, int node);
  std::string unused(std::string name);
  int draft(std::string op, std::vector<Expr>& inputs, Attributes attributes, std::vector<Result>& results, std::string domain);
  std::vector<bool> needed_values(const std::vector<int>& results, std::vector<bool>& needed_nodes) const;

  std::vector<Value> values_;
  std::vector<Draft> nodes_;
  std::vector<int> inputs_;
  std::map<int, Tensor> constants_;
  std::map<std::string, std::vector<int>> known_;      // what was written down before, by its text
  std::map<const Graph*, std::vector<int>> borrowed_;  // what a finished body uses of this graph
  std::set<int> kept_names_;                           // values that a body refers to by name
  std::shared_ptr<std::set<std::string>> names_;       // of this graph and its bodies
  std::string scope_;
  GraphBuilder* parent_ = nullptr;
  std::map<int, int> outer_;  // in a body: the surrounding graph's value -> ours
  Symbols symbols_;
  Opsets domains_ = {{"", 21}, {"ai.onnx.ml", 5}};
};

}  // namespace onward
