// One node becomes several: those of a text, or those of a function of the model, with the node's own values and attributes.
#pragma once
#include "onward/base/names.h"
#include "onward/ops/signature.h"

namespace onward {

// The names of all values of a model: what is made here clashes with none.
class ValueNames {
 public:
  void note(const Graph& graph);                          // with its subgraphs
  void note(const std::string& name) { names_.insert(name); }
  std::string fresh(const std::string& wanted);

 private:
  Names names_;
  ByName<int> numbered_;                                  // the last number that a wanted name was given: many may want the same
};

// The nodes of `body`, whose words for inputs, outputs and attributes are those of `form`; those of which nothing is wanted are left
// out. `Self` is the node's own operator; the second value of a variadic `xs` is `xs_1`. Literals become initializers of `home`.
std::vector<Node> expanded(const Node& node, const Signature& form, std::string_view body, ValueNames& names, Graph& home);

// The nodes of a function of the model for one that calls it. Throws Error{bad_model} for a call that does not fit.
std::vector<Node> inlined(const Node& call, const Function& function, ValueNames& names);

// "K" and "k": an attribute that became an input may have changed its case.
bool same_word(std::string_view a, std::string_view b);

// The function that a node calls: "domain\nname\noverload".
std::string function_key(std::string_view domain, std::string_view name, std::string_view overload);

}  // namespace onward
