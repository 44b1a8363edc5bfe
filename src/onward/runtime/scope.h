// What changes while a program runs: the values, what is known of their shapes, and the block of memory that the plan laid out.
#pragma once
#include "onward/runtime/program.h"

namespace onward {

// The values of one run, and what the run before it knew about shapes.
struct Program::Scope {
  std::vector<Value> slots;
  const Scope* outer = nullptr;
  Profile* profile = nullptr;
  std::vector<const Value*> inputs;             // of all steps, one after the other
  std::vector<size_t> first_input;              // per step
  struct Given { DataType type; Dims dims; };
  struct Inferred { DataType type; std::optional<Dims> dims; };  // no dims: the kernel allocates
  struct Known {                                // of one step: the inputs it was inferred for, and the answer
    bool valid = false;
    std::vector<Given> inputs;
    std::vector<Inferred> outputs;
  };
  std::vector<Known> known;
  std::vector<Fact> facts, answers;             // of the inputs and outputs of the step at hand

  struct Size { DataType type = DataType::none; size_t bytes = 0; };
  std::vector<Size> recorded;                   // per slot: what this run allocated
  std::vector<Size> planned;                    // per slot: what the plan has room for
  std::vector<size_t> offsets;                  // in the block
  std::vector<bool> handed_on;                  // per slot: an output of the program takes over its memory
  std::vector<Dims> planned_for;                // the shapes of the program's inputs
  std::shared_ptr<void> block;
  size_t block_bytes = 0;
  bool missed = false;                          // a value of this run did not fit the plan

  bool in_block(const void* p) const { return block && p >= block.get() && p < static_cast<const char*>(block.get()) + block_bytes; }
};

}  // namespace onward
