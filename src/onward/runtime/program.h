// A graph made ready to run: nodes prepared once, values in numbered slots.
//
// Slots are numbered in the order in which values are made, so that the outputs of a step are neighbours. Constants have no slot:
// steps point at them. All that changes during a run is in a Scope; scopes are kept and reused. The first run with some shapes
// records how large every value is and how long it lives; runs with the same shapes after it take all values from one block laid
// out by that record (memory_plan.h) and allocate only what they return.
#pragma once
#include <mutex>

#include "onward/base/names.h"
#include "onward/ops/custom.h"

namespace onward {

class Profile;

class Program {
 public:
  // `outer` is the program around a subgraph: names not found inside are looked up there. It and `custom` must outlive this one.
  explicit Program(const Graph& graph, const CustomOperators& custom = none(), Program* outer = nullptr);
  ~Program();
  Program(const Program&) = delete;

  size_t input_count() const { return inputs_; }
  size_t output_count() const { return outputs_.size(); }
  // `arguments` in the order of the graph's inputs (those that are no initializers); null or an empty Value where one is left out.
  // wanted: which outputs to return; null for all. Thread safe.
  std::vector<Value> run_borrowed(std::span<const Value* const> arguments, const RunContext& context, Profile* profile = nullptr, const void* outer_scope = nullptr) const;
  std::vector<Value> run(std::span<const Value> arguments, const RunContext& context, Profile* profile = nullptr, const void* outer_scope = nullptr) const;

  struct Scope;

 private:
  // Where a step finds an input.
  struct Source { int slot = -1; const Value* constant = nullptr; };
  struct Step {
    const Operator* op;
    const NodeTypes* types = nullptr;
    std::shared_ptr<const void> self;
    std::vector<Source> inputs;
    int first_output = 0, output_count = 0;
    std::vector<int> dies;                      // slots that nothing reads afterwards
    uint8_t overwritable = 0;                   // a bit for each of the first two inputs: nothing reads it afterwards
    uint64_t constant_inputs = 0;               // a bit for each
    int index = 0;
    bool has_body = false;
    std::string name;                           // of the node, or of the first value that it makes

    std::string label() const;                  // as errors call it
  };

  Source source(const std::string& name);       // captures from outside when the name is not known here
  const Tensor* constant(std::string_view name) const;
  void add(const Node& node);
  void find_last_uses();
  void find_argument_reads();
  void execute(const Step& step, Scope& scope, const RunContext& context) const;
  void keep_out_of_block(const Step& step, std::span<Value> outputs, const Scope& scope) const;
  void find_planned();
  Tensor place(size_t slot, DataType type, const Dims& dims, Scope& scope, const RunContext& context) const;
  std::vector<bool> handed_on(const Scope& scope) const;
  void make_plan(Scope& scope, std::span<const Value* const> arguments, const RunContext& context) const;
  bool same_as_before(const Step& step, const Scope& scope) const;
  void infer(const Step& step, Scope& scope) const;
  std::unique_ptr<Scope> take_scope() const;
  void give_back(std::unique_ptr<Scope> scope) const;

  static const CustomOperators& none();

  Program* outer_;
  const CustomOperators& custom_;
  ByName<int> slots_;                                    // while this is made
  std::map<std::string, Value, std::less<>> constants_;
  std::vector<std::pair<int, Source>> captured_;         // slot here, source in the outer program
  size_t inputs_ = 0;
  // Where steps read arguments: (input, place among a scope's inputs). They read the caller's own; only what a subgraph captures or the
  // program returns is copied into its slot.
  std::vector<std::pair<size_t, size_t>> argument_reads_;
  std::vector<size_t> copied_arguments_;
  int slot_count_ = 0;
  struct Output {
    Source from;
    bool last = false;                          // no output after it is the same value
  };
  std::vector<Output> outputs_;
  std::vector<Step> steps_;
  std::map<std::pair<const Operator*, size_t>, NodeTypes> types_;     // by operator and number of outputs
  std::vector<std::vector<int>> bodies_read_;            // per step: slots that its subgraphs capture
  std::vector<int> group_;                              // per slot: the slot whose memory it shares (Reshape and its like)
  std::vector<int> group_dies_;                         // per slot: the last step that reads any of its group; INT_MAX: an output
  std::vector<bool> planned_;                           // per slot: its memory may come from the plan
  std::vector<int>* capturing_ = nullptr;                // while a step's subgraphs are compiled

  mutable std::mutex mutex_;
  mutable std::vector<std::unique_ptr<Scope>> idle_;
};

}  // namespace onward
