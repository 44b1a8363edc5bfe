// Steps that treat every row on its own, run on blocks of rows that stand side by side (side_by_side.h).
#pragma once
#include <memory>
#include <vector>

#include "onward/model/graph.h"
#include "onward/ops/side_by_side.h"

namespace onward {

class LaneProgram {
 public:
  // Of a graph whose inputs declare types and all sizes but that of the rows, for blocks of `lanes` rows. Null where an operator has no such
  // form, or a block would leave the caches.
  static std::unique_ptr<const LaneProgram> of(const Graph& graph, const Preparation& at, int64_t lanes);

  int64_t lanes() const { return lanes_; }
  // Whether a block for these few rows costs less than kernels of rows: its lanes all compute, but a step has little to set up.
  bool pays_for(int64_t rows) const;
  int64_t block_bytes() const { return bytes_; }
  const std::vector<LaneValue>& inputs() const { return inputs_; }
  const std::vector<LaneValue>& outputs() const { return outputs_; }
  // One block: the values of `rows` rows, at most `lanes`, from where `inputs` begin to where `outputs` begin. The `ahead` rows behind them
  // will be wanted next.
  void run(std::span<const char* const> inputs, std::span<char* const> outputs, int64_t rows, char* block, int64_t ahead = 0) const;

 private:
  struct Step {
    std::shared_ptr<const void> self;
    LaneStep run;
  };
  friend struct LaneCompiler;
  int64_t lanes_ = 0, bytes_ = 0, constants_ = 0;         // constants_: numbers
  std::vector<LaneValue> inputs_, outputs_;
  std::vector<Step> steps_;
};

}  // namespace onward
