// The machine that a pickle drives: a stack, marks on it, a memo, and what the opcodes do to them.
#pragma once
#include <optional>
#include <vector>

#include "onward/base/byte_reader.h"
#include "onward/estimators/plain.h"

namespace onward::formats {

// The values it makes may contain each other in circles (a list may hold itself): who walks them bounds the depth.
class PickleMachine {
 public:
  // `slots_max` bounds the stack and the memo; `depth` how many pickles may still follow inside this one.
  PickleMachine(ByteReader& in, Arena& arena, size_t slots_max, int depth) : in_(in), arena_(arena), slots_max_(slots_max), depth_(depth) {}
  plain::Value run();   // up to STOP

  Arena& arena() { return arena_; }
  void push(plain::Value v) {
    if (stack_.size() >= slots_max_) too_many("stack");
    stack_.push_back(v);
  }
  plain::Value pop() {
    if (stack_.size() <= (marks_.empty() ? 0 : marks_.back())) fail(Code::bad_file, "takes from an empty stack");
    plain::Value v = stack_.back();
    stack_.pop_back();
    return v;
  }
  plain::Value& top() {
    push(pop());
    return stack_.back();
  }
  void mark();
  std::vector<plain::Value> pop_to_mark();

  void push_sequence(plain::Kind kind, std::span<const plain::Value> items = {}) { push(plain::sequence(arena_, kind, items)); }
  void push_tuple(size_t n);
  void push_global(std::string_view module, std::string_view name);
  void push_global(plain::Value module, plain::Value name);
  void call(plain::Value callee, plain::Value args);
  void build(plain::Value state);
  void extend(std::span<const plain::Value> items, bool pairs);
  void remember(uint64_t index);
  void remember_next() { remember(memo_.size()); }
  void recall(uint64_t index);
  void stop() { running_ = false; }

 private:
  [[noreturn]] void too_many(const char* where) const;
  plain::Value array_in_stream(const plain::Value& wrapper);

  ByteReader& in_;
  Arena& arena_;
  size_t slots_max_;
  int depth_;
  std::vector<plain::Value> stack_;
  std::vector<size_t> marks_;
  std::vector<std::optional<plain::Value>> memo_;   // numbered from 0 or 1, with gaps
  uint64_t steps_ = 0;
  bool running_ = true;
};

}  // namespace onward::formats
