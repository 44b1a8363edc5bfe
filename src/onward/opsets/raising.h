// One node on its way to a newer opset, by what the table shows. ops/upgrade.h does the same for running, where no types are asked for
// and the engine's own operators may stand in.
#pragma once
#include "onward/opsets/known.h"
#include "onward/ops/rewriting.h"

namespace onward {

// Attributes that became inputs of the same name, with the type the port asks for, and defaults that changed.
void raise_by_table(Node& node, const Signature& now, const Signature& then, const Known& known, ValueNames& names, Graph& home);

// In place, for what becomes an operator of our own when it runs: the plain cases. Throws Error{unsupported_operator} for the others.
void raise_by_hand(Node& node, std::string_view own_operator, const Known& known);

// Of upgrades' own operators: AlignAxis in the standard's words.
Signature own_form(const Node& node);
std::string own_operator_text(const Node& node, const Known& known);

// In words that are not deprecated; "" where there are none.
std::string text_for_deprecated(const Node& node, const Known& known);

// Where the same words mean something else in `then`; "" where they do not.
std::string text_for_new_sense(const Node& node, const Signature& now, const Signature& then, const Known& known);

}  // namespace onward
