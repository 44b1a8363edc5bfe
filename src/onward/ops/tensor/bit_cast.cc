// BitCast: the same bits under another element type of the same width.
#include <cstring>

#include "onward/ops/typed.h"

namespace onward::ops {
namespace {

struct BitCast : standard::BitCast {
  void prepare(const Preparation&) const {
    element_type(to, T2.types);
  }
  void infer(Inference& io) const {
    if (bits(io.inputs[0].type) != bits(DataType(to))) invalid("the bits of ", name_of(io.inputs[0].type), " are no ", name_of(DataType(to)));
    io.output(0, DataType(to), io.dims(0));
  }
  void run(Call& call) const {
    const Tensor &x = call.tensor(0), &y = call.output(0);
    const int64_t width = bits(x.type());
    if (width >= 8 && y.type() != DataType::b8) { std::memcpy(y.raw(), x.raw(), x.bytes()); return; }
    const bool to_signed = y.type() == DataType::i4 || y.type() == DataType::i2;
    for (size_t i = 0; i < x.bytes(); ++i) {
      const auto code = x.data<uint8_t>()[i];
      if (width >= 8) y.data<uint8_t>()[i] = code != 0;
      else y.data<uint8_t>()[i] = to_signed ? uint8_t(int8_t(code << (8 - width)) >> (8 - width)) : uint8_t(code & ((1 << width) - 1));   // in memory sub-byte elements have a byte each
    }
  }

 private:
  static int64_t bits(DataType type) {
    switch (type) {
      case DataType::u4: case DataType::i4: case DataType::f4e2m1: return 4;
      case DataType::u2: case DataType::i2: return 2;
      default: return int64_t(size_of(type)) * 8;
    }
  }
};

}  // namespace

Operators tensor_bit_cast() {
  return {define<BitCast>({.examples = {"float [1]; to=6 -> int32 [1065353216]", "int4 [-1]; to=21 -> uint4 [15]", "uint4 [15]; to=22 -> int4 [-1]"}})};
}

}  // namespace onward::ops
