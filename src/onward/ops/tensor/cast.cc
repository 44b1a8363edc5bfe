// Cast, CastLike: every element type to every other; the rules are in ops/convert.cc.
#include "onward/ops/convert.h"
#include "onward/ops/side_by_side.h"
#include "onward/ops/typed.h"

namespace onward::ops {
namespace {

void run_cast(Call& call, bool saturate) {
  const Tensor& x = call.tensor(0);
  const Tensor& y = call.output(0);
  convert(x.type(), x.raw(), y.type(), y.raw(), x.size(), saturate);
}

// Shapes pass through casts; what becomes a boolean is 1 where it is not 0.
void infer_cast(Inference& io, DataType to) {
  io.output(0, to, io.dims(0));
  if (!io.symbols || !io.inputs[0].sizes || !contains(i32 | i64 | b8, to)) return;
  Dims items = *io.inputs[0].sizes;
  if (to == DataType::b8) for (int64_t& item : items) item = item == 0 ? 0 : io.at_least(item, 1) || io.at_least(-1, item) ? 1 : io.symbols->fresh_item();
  io.output_sizes(0, items);
}

struct Cast : standard::Cast {
  void prepare(const Preparation&) const { element_type(to, T2.types); }
  void infer(Inference& io) const { infer_cast(io, DataType(to)); }
  void run(Call& call) const { run_cast(call, saturate != 0); }
  LaneStep side_by_side(const LaneSite& site) const {
    const LaneValue &x = site.inputs[0], &y = site.output;
    if (x.at < 0 || x.type == DataType::str || y.type == DataType::str) return {};
    return [x, y, n = x.columns() * site.lanes, saturate = saturate != 0](char* block) { convert(x.type, block + x.at, y.type, block + y.at, n, saturate); };
  }
};

struct CastLike : standard::CastLike {
  void infer(Inference& io) const { infer_cast(io, io.type(1)); }
  void run(Call& call) const { run_cast(call, saturate != 0); }
};

}  // namespace

Operators tensor_cast() {
  return {
      define<Cast>({.examples = {"float [1.9, -1.9]; to=6 -> int32 [1, -1]", "float [1e6, nan]; to=17 -> float8e4m3fn [448, nan]",
                                 "string [\"-2.5\"]; to=11 -> double [-2.5]", "float [7.6]; to=22 -> int4 [7]"}}),
      define<CastLike>({.examples = {"int32 [3], float16 [0] -> float16 [3]"}}),
  };
}

LaneForms cast_lanes() { return {{"Cast", member_form<Cast>}}; }

}  // namespace onward::ops
