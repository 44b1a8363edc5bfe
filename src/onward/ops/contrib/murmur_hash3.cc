// MurmurHash3: the 32-bit hash by Austin Appleby of each element's bytes, as scikit-learn's hashing uses it.
#include <bit>
#include <cstring>

#include "onward/ops/contrib.h"
#include "onward/ops/operator.h"

namespace onward::ops {
namespace {

uint32_t mixed(uint32_t block) { return std::rotl(block * 0xcc9e2d51u, 15) * 0x1b873593u; }

uint32_t hash(const void* key, size_t size, uint32_t seed) {
  const auto* bytes = static_cast<const unsigned char*>(key);
  uint32_t h = seed;
  for (size_t at = 0; at + 4 <= size; at += 4) {
    uint32_t block;
    std::memcpy(&block, bytes + at, 4);
    h = std::rotl(h ^ mixed(block), 13) * 5 + 0xe6546b64u;
  }
  uint32_t rest = 0;
  for (size_t i = size % 4; i-- > 0;) rest = rest << 8 | bytes[size - size % 4 + i];
  h ^= mixed(rest) ^ uint32_t(size);                      // nothing left is 0, which mixes to 0
  h = (h ^ h >> 16) * 0x85ebca6bu;
  h = (h ^ h >> 13) * 0xc2b2ae35u;
  return h ^ h >> 16;
}

struct MurmurHash3 : contrib::MurmurHash3 {
  void infer(Inference& io) const { io.output(0, positive ? DataType::u32 : DataType::i32, io.dims(0)); }
  template <class T> void run(const RunContext& context, In<T> x, Tensor y) const {
    auto* to = y.data<uint32_t>();
    context.parallel(x.size, 5.0, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i)
        if constexpr (std::is_same_v<T, std::string>) to[i] = hash(x[i].data(), x[i].size(), uint32_t(seed));
        else to[i] = hash(&x[i], sizeof(T), uint32_t(seed));
    });
  }
};

}  // namespace

Operators contrib_murmur_hash3() {
  return {define<MurmurHash3, MurmurHash3::T1>({.examples = {"int32 [3, 0] -> uint32 [847579505, 593689054]", "string [\"foo\", \"\"]; positive=0 -> int32 [-156908512, 0]",
                                                             "string [\"abcde\"]; seed=42 -> uint32 [2933533680]"}})};
}

}  // namespace onward::ops
