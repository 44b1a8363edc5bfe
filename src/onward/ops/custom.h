// Custom operators: those that a caller brings along for sessions of its own. They live beside the built-in ones and as long as the
// sessions that use them; nothing of them is known to the rest of the process.
#pragma once
#include "onward/ops/node_types.h"
#include "onward/ops/operator.h"

namespace onward {

// One node of a custom operator, made ready to run; used from any number of threads at once.
struct CustomKernel {
  virtual ~CustomKernel() = default;
  virtual void infer(Inference&) const {}                // an output it says nothing of is the kernel's to allocate
  virtual void run(Call&) const = 0;
};

// What a user registers. Ports are names with a type behind them: "x:T(float|double) bias?:float rest*:T"; '?' may be left out, '*' is
// any number of them and stands last. A type is an element type of the standard, or a letter or word in capitals that stands for one
// and the same type wherever it is written (the types it may be, in parentheses); without a type the value may be anything, sequences
// and maps too. Attributes are "alpha:FLOAT=0.5;mode:STRING=\"linear\";axes:INTS!", '!' for those that must be given.
struct CustomOperator {
  std::string domain, name;
  int since = 1;                                         // the version of the domain that it came with
  std::string inputs, outputs, attributes;
  // The node has every attribute that has a default. Called once for each node; throws what is wrong with the node.
  std::function<std::shared_ptr<const CustomKernel>(const Preparation&)> create;
};

class CustomOperators {
 public:
  struct Entry;
  // Throws Error{usage} for a name that is taken or the standard's, and for ports or attributes that are not written as above.
  void add(CustomOperator op);
  void add(const CustomOperators& others);               // throws Error{usage} where they name another operator of the same name
  // Null where there is none. Entries live as long as any copy of this list.
  const Entry* find(std::string_view domain, std::string_view name) const;
  bool empty() const { return entries_.empty(); }

 private:
  std::map<std::pair<std::string, std::string>, std::shared_ptr<const Entry>, std::less<>> entries_;
};

struct CustomOperators::Entry {
  CustomOperator definition;
  std::string inputs, outputs;                           // as the rows of the standard's table are written
  std::vector<Types> input_types;                        // by port
  Signature form;
  Operator op;                                           // all but `create`, which needs the definition
  std::shared_ptr<const void> create(const Preparation& at) const;
};

// Of a node of theirs or of a built-in operator.
NodeTypes types_of(const Node& node, const CustomOperators& custom);

// What to do about an operator of this domain that nobody knows: the ways to register one; "" for the standard's own domains.
std::string registration_hint(std::string_view domain);

}  // namespace onward
