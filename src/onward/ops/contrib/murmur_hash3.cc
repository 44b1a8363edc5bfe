// MurmurHash3: the 32-bit hash by Austin Appleby of each element's bytes, as scikit-learn's hashing uses it.
#include "onward/ops/contrib.h"
#include "onward/ops/murmur.h"
#include "onward/ops/operator.h"

namespace onward::ops {
namespace {

struct MurmurHash3 : contrib::MurmurHash3 {
  void infer(Inference& io) const { io.output(0, positive ? DataType::u32 : DataType::i32, io.dims(0)); }
  template <class T> void run(const RunContext& context, In<T> x, Tensor y) const {
    auto* to = y.data<uint32_t>();
    context.parallel(x.size, 5.0, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i)
        if constexpr (std::is_same_v<T, std::string>) to[i] = murmur3(x[i].data(), x[i].size(), uint32_t(seed));
        else to[i] = murmur3(&x[i], sizeof(T), uint32_t(seed));
    });
  }
};

}  // namespace

Operators contrib_murmur_hash3() {
  return {define<MurmurHash3, MurmurHash3::T1>({.examples = {"int32 [3, 0] -> uint32 [847579505, 593689054]", "string [\"foo\", \"\"]; positive=0 -> int32 [-156908512, 0]",
                                                             "string [\"abcde\"]; seed=42 -> uint32 [2933533680]"}})};
}

}  // namespace onward::ops
