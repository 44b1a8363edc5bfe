// SequenceEmpty, SequenceConstruct, SequenceInsert, SequenceErase, SequenceAt, SequenceLength. Tensors are shared, not copied.
#include "onward/ops/typed.h"

namespace onward::ops {
namespace {

// A position counted from the end when negative; without one, `otherwise`. Valid positions are 0 … limit.
size_t position(const Call& call, size_t input, int64_t size, int64_t limit, int64_t otherwise) {
  if (!call.has(input) && otherwise >= 0) return size_t(otherwise);
  const auto given = call.has(input) ? integers(call.tensor(input)) : std::vector<int64_t>{otherwise};
  if (given.size() != 1) invalid("a position has ", given.size(), " elements, expected 1");
  const int64_t at = given[0] < 0 ? given[0] + size : given[0];
  if (at < 0 || at > limit) invalid("position ", given[0], " in a sequence of ", size);
  return size_t(at);
}

// The positions are checked when it runs: a sequence's length is not known before.
constexpr auto sequence = TypeInfo::Kind::sequence;

struct SequenceEmpty : standard::SequenceEmpty {
  void infer(Inference& io) const { io.output_of(0, sequence, {.type = DataType(dtype.value_or(int64_t(DataType::f32)))}); }
  void prepare(const Preparation&) const { if (dtype) element_type(*dtype, S.types); }
  void run(Call& call) const { call.outputs[0] = Sequence{{}, DataType(dtype.value_or(int64_t(DataType::f32)))}; }
};

struct SequenceConstruct : standard::SequenceConstruct {
  void infer(Inference& io) const {
    if (!io.symbols) return;
    Fact item = io.inputs[0];
    for (const Fact& more : io.inputs.subspan(1)) item = joined(item, more, nullptr);
    io.output_of(0, sequence, every_item(std::move(item), *io.symbols));
  }
  void run(Call& call) const {
    Sequence s{{}, call.tensor(0).type()};
    for (size_t i = 0; i < call.inputs.size(); ++i) s.items.emplace_back(call.tensor(i));
    call.outputs[0] = std::move(s);
  }
};

struct SequenceInsert : standard::SequenceInsert {
  void infer(Inference& io) const {
    if (io.symbols && io.item(0)) io.output_of(0, sequence, joined(*io.item(0), every_item(io.inputs[1], *io.symbols), nullptr));
  }
  void run(Call& call) const {
    Sequence s = call.sequence(0);
    const auto n = int64_t(s.items.size());
    s.items.insert(s.items.begin() + long(position(call, 2, n, n, n)), Value(call.tensor(1)));
    s.type = call.tensor(1).type();
    call.outputs[0] = std::move(s);
  }
};

struct SequenceErase : standard::SequenceErase {
  void infer(Inference& io) const { if (io.item(0)) io.output_fact(0, io.inputs[0]); }
  void run(Call& call) const {
    Sequence s = call.sequence(0);
    const auto n = int64_t(s.items.size());
    s.items.erase(s.items.begin() + long(position(call, 1, n, n - 1, n - 1)));
    call.outputs[0] = std::move(s);
  }
};

struct SequenceAt : standard::SequenceAt {
  void infer(Inference& io) const { if (io.symbols && io.item(0)) io.output_fact(0, one_item(*io.item(0), *io.symbols)); }
  void run(Call& call) const {
    const Sequence& s = call.sequence(0);
    const auto n = int64_t(s.items.size());
    call.outputs[0] = s.items[position(call, 1, n, n - 1, -1)];
  }
};

struct SequenceLength : standard::SequenceLength {
  void infer(Inference& io) const { io.output_fact(0, {.type = DataType::i64, .dims = Dims{}}); }
  void run(Call& call) const { call.outputs[0] = Tensor::scalar<int64_t>(int64_t(call.sequence(0).items.size())); }
};

}  // namespace

Operators sequence_sequence() {
  return {define<SequenceEmpty>(), define<SequenceConstruct>(), define<SequenceInsert>(), define<SequenceErase>(), define<SequenceAt>(), define<SequenceLength>()};
}

}  // namespace onward::ops
