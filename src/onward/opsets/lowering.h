// One node on its way to an older opset: what a rule may ask and do.
#pragma once
#include <set>

#include "onward/opsets/known.h"
#include "onward/ops/signature.h"

namespace onward {

struct Lowering {
  Node& node;                                             // a rule may change it in place
  const Signature& form;                                  // of the node as it stands
  const Signature* target_form;                           // of its operator in the target; null where it has none there
  const Known& known;
  const Opsets& target;
  std::vector<std::string>& lost;                         // what the older form cannot say, for the user
  std::set<std::string>& notes;                           // what it costs where nothing is lost

  int64_t opset(std::string_view domain = "") const;      // of the target
  bool has(size_t i) const { return i < node.inputs.size() && !node.inputs[i].empty(); }
  bool wants(size_t output) const { return output < node.outputs.size() && !node.outputs[output].empty(); }
  const Knowledge& input(size_t i) const;
  DataType type(size_t i) const;                          // refuses where it is not known; none for an input that is left out
  int64_t rank(size_t i) const;                           // refuses where it is not known
  const Tensor* constant(size_t i) const;                 // null where it is computed or left out
  std::optional<std::vector<int64_t>> integers_of(size_t i) const;
  std::vector<int64_t> integers_needed(size_t i) const;   // refuses where they are computed
  bool is_last_axis(int64_t axis, size_t input) const;

  template <class T> T attribute(std::string_view name, T otherwise) const {
    node.attributes.read(name, otherwise);
    return otherwise;
  }
  void drop_input(size_t i) const;                        // and the empty ones that then end the list
  template <class... Parts> [[noreturn]] void refuse(const Parts&... parts) const { unsupported(parts...); }
};

// Nodes of opset `below` and later, in the words of `below - 1`: the nodes that take their place (ops/rewriting.h says how they are
// written), or "" where `node` was changed in place or needs no change. Rules may throw Error{unsupported_operator} that says why there
// is no older form. Texts may use the newest form of other operators: they are lowered in their turn.
struct LoweringRule {
  std::string_view op;
  int below;
  std::string (*lower)(Lowering&);
  std::string_view domain = {};
};

// Newest first for each operator.
std::span<const LoweringRule> shape_rules();
std::span<const LoweringRule> arithmetic_rules();
std::span<const LoweringRule> network_rules();
std::span<const LoweringRule> selection_rules();
std::span<const LoweringRule> attention_rules();
std::span<const LoweringRule> table_rules();              // of ai.onnx.ml: LabelEncoder
std::span<const LoweringRule> tree_rules();               // of ai.onnx.ml
// The newest of them between two opsets, or null.
const LoweringRule* lowering_rule(std::string_view domain, std::string_view op, int64_t from, int64_t target);

// The node's attributes, inputs and outputs as `target` has them, by the standard's table alone: attributes that have the meaning of
// before are left out, inputs that were attributes become them. Throws Error{unsupported_operator} for what has no word there.
void follow_table_down(Lowering& at);

// The first half of that, for a node that a rule has written.
void drop_newer_attributes(Lowering& at);

// Where an element type is not allowed in the target but a wider one is and the operator gives the same answer for it: casts around the
// node. "": the types are fine. Throws Error{unsupported_operator} where no type will do.
std::string text_with_wider_types(const Lowering& at);

// Text pieces.
std::string listed(std::span<const int64_t> values);                  // "[1, 2]"
std::string literal(std::span<const int64_t> values);                 // "int64 [1, 2]"
std::string called(const Node& node, std::string_view inputs, std::string_view extra = {});
std::string type_number(DataType type);                               // of `to` and `dtype`

}  // namespace onward
