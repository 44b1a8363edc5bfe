// com.onward.CatBoostHash: the 32-bit number that CatBoost compares and counts categories by, of each word.
#include "onward/base/city_hash.h"
#include "onward/ops/operator.h"

namespace onward::ops {
namespace {

struct CatBoostHash {
  static constexpr Name standard_name{"com.onward", "CatBoostHash", 1};
  void read(const Attributes&) {}
  void infer(Inference& io) const {
    if (io.type(0) != DataType::str && io.type(0) != DataType::none) invalid("expected strings, found ", name_of(io.type(0)));
    io.output(0, DataType::i32, io.dims(0));
  }
  void run(const RunContext& context, In<std::string> x, Out<int32_t> y) const {
    context.parallel(x.size, 10.0, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) y[i] = int32_t(uint32_t(city_hash(x[i])));
    });
  }
};

}  // namespace

Operators own_catboost_hash() {
  return {define<CatBoostHash>({.examples = {"string [\"x\", \"3\", \"\"] -> int32 [-784473192, 593172586, 797982799]"}})};
}

}  // namespace onward::ops
