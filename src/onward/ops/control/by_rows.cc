// onward.ByRows: runs a subgraph on some rows at a time, so that what lies between its steps stays in the cache and needs memory for
// those rows alone. Sessions make it of steps that treat every row on its own (optimizer/passes/run_by_rows.cc).
//
// body: its inputs are the node's, its outputs the node's; the first axis of each is the rows. rows: how many at a time, about.
// Where the body's inputs declare their types and sizes and its steps can, rows stand side by side (lane_program.h).
#include "onward/ops/control.h"
#include "onward/ops/lane_program.h"

namespace onward::ops {
namespace {

size_t row_bytes(const Tensor& t) {
  const int64_t elements = product(t.dims(), 1, t.rank());
  return size_t(elements) * (t.type() == DataType::str ? sizeof(std::string) : size_of(t.type()));
}

Value some_rows(const Tensor& t, int64_t begin, int64_t end) {
  Dims dims = t.dims();
  dims[0] = end - begin;
  return Tensor::view(t.type(), dims, static_cast<const char*>(t.raw()) + size_t(begin) * row_bytes(t));
}

struct ByRows {
  static constexpr Name standard_name{"onward", "ByRows", 1};
  GraphRef graph;
  int64_t rows = 1;
  std::shared_ptr<const Body> body;
  std::unique_ptr<const LaneProgram> few, many;          // rows side by side, in blocks of few lanes and of many

  void read(const Attributes& from) { from.read("body", graph), from.read("rows", rows); }
  void prepare(const Preparation& at) {
    if (!graph) invalid("has no body");
    if (rows < 1) invalid("rows is ", rows, ", expected 1 at least");
    if (at.node.inputs.empty() || graph->inputs.size() != at.node.inputs.size()) invalid("the body has ", graph->inputs.size(), " inputs, expected ", at.node.inputs.size());
    if (graph->outputs.size() != at.node.outputs.size()) invalid("the body has ", graph->outputs.size(), " outputs, expected ", at.node.outputs.size());
    few = LaneProgram::of(*graph, at, few_lanes);
    if (few) many = LaneProgram::of(*graph, at, many_lanes);
    if (!few || !few->pays_for(1)) body = at.compile(graph);
  }

  void run(Call& call) const {
    const int64_t n = count_rows(call);
    if (few && (!body || n > few_lanes || few->pays_for(n))) return run_side_by_side(call, n);
    const int64_t blocks = (n + rows / 2) / rows;         // of half as many rows more or less: the caches do not mind, a short block wastes
    if (blocks <= 1) {
      std::vector<Value> whole;
      for (const Value* input : call.inputs) whole.push_back(*input);
      auto out = body->run(whole, call);
      std::move(out.begin(), out.end(), call.outputs.begin());
      return;
    }
    // Blocks of one size: the body plans its memory once. The last one repeats some rows of the one before it.
    const int64_t size = (n + blocks - 1) / blocks;
    const auto first = block(call, 0, size);
    for (size_t k = 0; k < first.size(); ++k) {
      const Tensor& part = tensor_of(first[k], "output");
      Dims dims = part.dims();
      if (dims.empty() || dims[0] != size) invalid("output ", k, " of the body is ", shown(part), " for ", size, " rows");
      dims[0] = n;
      call.allocate(k, part.type(), dims);
    }
    store(call, first, 0, 0);
    constexpr double worth_a_thread = 1e6;               // nanoseconds: blocks are made so large
    call.context.parallel(blocks - 1, worth_a_thread, [&](int64_t from, int64_t to) {
      for (int64_t i = from + 1; i <= to; ++i) {
        const int64_t begin = std::min(i * size, n - size);
        if (i * size < n) store(call, block(call, begin, begin + size), begin, i * size - begin);
      }
    });
  }

 private:
  static constexpr int64_t few_lanes = 16, many_lanes = 64, alignment = 64;

  // Whole blocks of many lanes, and what is left in the block that fits.
  void run_side_by_side(Call& call, int64_t n) const {
    for (size_t i = 0; i < few->inputs().size(); ++i) {
      const LaneValue& declared = few->inputs()[i];
      const Tensor& t = call.tensor(i);
      if (t.type() != declared.type || !std::ranges::equal(std::span(t.dims()).subspan(1), declared.inner()))
        invalid("input ", i, " is ", shown(t), ", the body's has ", declared.columns(), " ", name_of(declared.type), " in a row");
    }
    for (size_t k = 0; k < few->outputs().size(); ++k) {
      Dims dims = few->outputs()[k].dims;
      dims[0] = n;
      call.allocate(k, few->outputs()[k].type, dims);
    }
    const LaneProgram& program = many && n > few_lanes ? *many : *few;
    const int64_t lanes = program.lanes(), blocks = (n + lanes - 1) / lanes;
    call.context.parallel(blocks, 0.3 * double(program.block_bytes()), [&](int64_t begin, int64_t end) {
      const Tensor memory = call.scratch(DataType::u8, {program.block_bytes() + alignment});
      char* const block = reinterpret_cast<char*>((reinterpret_cast<uintptr_t>(memory.raw()) + alignment - 1) / alignment * alignment);
      std::vector<const char*> from(call.inputs.size());
      std::vector<char*> to(call.outputs.size());
      for (int64_t b = begin; b < end; ++b) {
        const int64_t first = b * lanes, rows = std::min(lanes, n - first);
        for (size_t i = 0; i < from.size(); ++i) from[i] = call.tensor(i).data<char>() + size_t(first) * row_bytes(call.tensor(i));
        for (size_t k = 0; k < to.size(); ++k) to[k] = call.output(k).data<char>() + size_t(first) * row_bytes(call.output(k));
        (rows <= few_lanes ? *few : program).run(from, to, rows, block, std::min(lanes, n - first - rows));
      }
    });
  }
  static int64_t count_rows(const Call& call) {
    int64_t n = -1;
    for (size_t i = 0; i < call.inputs.size(); ++i) {
      const Tensor& t = call.tensor(i);
      if (t.rank() == 0) invalid("input ", i, " is a scalar: it has no rows");
      if (n >= 0 && t.dims()[0] != n) invalid("inputs have ", n, " and ", t.dims()[0], " rows");
      n = t.dims()[0];
    }
    return n;
  }
  std::vector<Value> block(const Call& call, int64_t begin, int64_t end) const {
    std::vector<Value> arguments;
    for (size_t i = 0; i < call.inputs.size(); ++i) arguments.push_back(some_rows(call.tensor(i), begin, end));
    return body->run(arguments, call);
  }
  // The rows of `parts`, which begin at row `begin` of the whole; all but the first `known`.
  static void store(const Call& call, const std::vector<Value>& parts, int64_t begin, int64_t known) {
    for (size_t k = 0; k < parts.size(); ++k) {
      const Tensor &part = tensor_of(parts[k], "output"), &whole = call.output(k);
      if (part.type() != whole.type() || part.rank() != whole.rank() || row_bytes(part) != row_bytes(whole) || begin + part.dims()[0] > whole.dims()[0] || known > part.dims()[0])
        invalid("output ", k, " of the body is ", shown(part), " for some rows of ", shown(whole));
      const size_t skipped = size_t(known) * row_bytes(part);
      const char* from = static_cast<const char*>(part.raw()) + skipped;
      char* to = static_cast<char*>(whole.raw()) + size_t(begin) * row_bytes(whole) + skipped;
      const size_t bytes = size_t(part.dims()[0] - known) * row_bytes(part);
      if (part.type() == DataType::str) std::copy_n(reinterpret_cast<const std::string*>(from), bytes / sizeof(std::string), reinterpret_cast<std::string*>(to));
      else std::memcpy(to, from, bytes);
    }
  }
};

}  // namespace

Operators control_by_rows() { return {define<ByRows>()}; }

}  // namespace onward::ops
