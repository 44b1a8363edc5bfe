// Shapes before and at run time. The same code answers both: at run time every size and value is known, so what it says is the
// allocation; before that sizes may be symbols (model/dims.h).
#pragma once
#include <optional>
#include <span>

#include "onward/model/graph.h"
#include "onward/model/symbols.h"

namespace onward {

// What is known of a value.
struct Fact {
  DataType type = DataType::none;
  std::optional<Dims> dims = {};                          // absent: not even the rank is known
  const Tensor* value = nullptr;                          // set for constants, and for every input at run time
  std::optional<Dims> sizes = {};                         // of an integer or boolean vector or scalar: its items as far as known, symbols included
  TypeInfo::Kind kind = TypeInfo::Kind::tensor;           // of a map, `type` is that of its keys; of a sequence or an optional there is none
  std::shared_ptr<const Fact> item = {};                  // of a sequence or an optional: what is known of every item; of a map, of its values

  bool is_tensor() const { return kind == TypeInfo::Kind::tensor && type != DataType::none; }
};
Fact declared_fact(const TypeInfo& type, Symbols& symbols);   // what a file says; `symbols` names the sizes
inline constexpr int64_t differs = -1;                    // a size in an item of a sequence: another one in every item

// What holds of a value that is either of the two; without symbols, of every item of a sequence that has both.
Fact joined(const Fact& a, const Fact& b, Symbols* symbols);
Fact one_item(Fact item, Symbols& symbols);               // one item of a sequence of such items
Fact every_item(Fact one, const Symbols& symbols);        // and what one says about all of a sequence

class Inference {
 public:
  std::span<const Fact> inputs;
  std::span<Fact> outputs;                                // types are already set where the standard ties them to an input
  Symbols* symbols = nullptr;                             // null at run time, when nothing is unknown
  uint64_t constants = 0;                                 // a bit for each input whose value is the same in every run
  bool reads_values = false;                              // set when the answer depends on more than types, dims and constants

  bool has(size_t i) const { return i < inputs.size() && inputs[i].type != DataType::none; }
  DataType type(size_t i) const { return has(i) ? inputs[i].type : DataType::none; }
  const Dims& dims(size_t i) const;                       // throws when the input is missing; leaves infer when the rank is unknown
  std::optional<Dims> values(size_t i);                   // of an integer input, if all are known
  const Tensor* value(size_t i);                          // of any input, if known
  std::optional<Dims> sizes(size_t i);                    // the same, symbols allowed: for values that become sizes
  void output(size_t i, Dims dims) { if (i < outputs.size()) outputs[i].dims = std::move(dims); }
  void output(size_t i, DataType type, Dims dims) { if (i < outputs.size()) outputs[i].type = type, outputs[i].dims = std::move(dims); }
  void output_sizes(size_t i, Dims sizes) { if (symbols && i < outputs.size()) outputs[i].sizes = std::move(sizes); }

  // Sequences, optionals and maps. At run time nothing is asked about them: their kernels allocate.
  const Fact* item(size_t i) const { return i < inputs.size() ? inputs[i].item.get() : nullptr; }
  void output_fact(size_t i, Fact fact) { if (symbols && i < outputs.size()) outputs[i] = std::move(fact); }
  void output_of(size_t i, TypeInfo::Kind kind, Fact item);
  Dims unknown_dims(size_t rank);

  // Arithmetic on sizes, known or symbols.
  int64_t unknown();
  int64_t add(int64_t a, int64_t b);
  int64_t subtract(int64_t a, int64_t b);
  int64_t multiply(int64_t a, int64_t b);
  int64_t divide(int64_t a, int64_t b);
  int64_t divide_up(int64_t a, int64_t b);
  int64_t product(std::span<const int64_t> dims);
  bool at_least(int64_t a, int64_t b) const { return is_symbol(a) || is_symbol(b) ? symbols->at_least(a, b) : a >= b; }
  bool may_be_negative(int64_t item) const { return is_symbol(item) && symbols->is_item(item); }
  int64_t size_of(int64_t item) { return may_be_negative(item) ? unknown() : item; }   // an item that becomes a size
};

// Thrown inside infer when too little is known to say anything; never leaves the caller of infer.
struct NothingKnown {};

}  // namespace onward
