// The types of a node's values as its signature ties them together: what its inputs may be, and what its outputs are because of them.
#pragma once
#include "onward/ops/inference.h"
#include "onward/ops/signature.h"

namespace onward {

// "tensor(int64)" is int64; none for the name of a constraint.
DataType only_type(std::string_view word);

// Where each output of a node takes its type from: the index of an input, or ~DataType, or INT_MIN where only infer can tell.
// `form` may be null.
std::vector<int> output_type_sources(const Signature* form, size_t outputs);

// What a signature names must outlive this.
class NodeTypes {
 public:
  NodeTypes() = default;
  NodeTypes(const Signature* form, size_t outputs);       // of null nothing is stated
  // `allowed` by input port; Types{} where anything may stand.
  NodeTypes(const Signature& form, std::span<const Types> allowed, size_t outputs);

  // What every inference begins with: throws Error{bad_value} for an input of a type that it may not have, naming it and both types,
  // and sets the types of the outputs that follow from the inputs'. Inputs of unknown type are believed.
  void begin(std::span<const Fact> inputs, std::span<Fact> outputs) const;
  void check(std::span<const Fact> inputs) const;
  DataType output(size_t k, std::span<const Fact> inputs) const;               // none where infer must tell

 private:
  // Ports of one word have one type, unless their values may be mixed.
  struct Input { std::string_view name, word; Types allowed; bool mixed; size_t first_of_word; };
  void add(const Port& port, Types allowed, bool mixed);

  std::vector<Input> inputs_;
  std::vector<int> sources_;
};

}  // namespace onward
