// NGramRepeatBlock, DynamicTimeWarping, UnfoldTensor, IsAllFinite: what ONNX Runtime has for decoding and aligning sequences.
#include <cmath>
#include <limits>

#include "onward/ops/contrib.h"
#include "onward/ops/operator.h"
#include "onward/ops/typed.h"

namespace onward::ops {
namespace {

// A token that would end an n-gram which the row has already gets the score of minus infinity.
struct NGramRepeatBlock : contrib::NGramRepeatBlock {
  void prepare(const Preparation&) const {
    if (ngram_size < 1) fail(Code::bad_model, "ngram_size is ", ngram_size, ", expected 1 or more");
  }
  void infer(Inference& io) const {
    const Dims &ids = io.dims(0), &scores = io.dims(1);
    if (ids.size() != 2 || scores.size() != 2 || (!is_symbol(ids[0]) && !is_symbol(scores[0]) && ids[0] != scores[0])) invalid("token ids ", shown(ids), " with scores ", shown(scores));
    io.output(0, scores);
  }
  void run(In<int64_t> ids, In<float> scores, Out<float> out) const {
    std::copy(scores.begin(), scores.end(), out.data);
    const int64_t length = ids.dims[1], words = scores.dims[1];
    if (length < ngram_size) return;
    for (int64_t row = 0; row < ids.dims[0]; ++row) {
      const int64_t *first = ids.data + row * length, *last = first + length - ngram_size + 1;     // the last n - 1 tokens
      for (const int64_t* at = first; at < last; ++at) {
        if (!std::equal(at, at + ngram_size - 1, last)) continue;
        const int64_t token = at[ngram_size - 1];
        if (token < 0 || token >= words) invalid("token ", token, " has no score, there are ", words);
        out[row * words + token] = -std::numeric_limits<float>::infinity();
      }
    }
  }
};

// The cheapest path from the first element to the last by steps down, right or both. Among equally cheap steps it is the one to the right.
struct DynamicTimeWarping : contrib::DynamicTimeWarping {
  void infer(Inference& io) const {
    const Dims& x = io.dims(0);
    if (x.size() != 2 && !(x.size() == 3 && (is_symbol(x[0]) || x[0] == 1))) invalid("expected costs of shape [M, N] or [1, M, N], found ", shown(x));
  }
  void run(const RunContext& context, In<float> x, New<int32_t> path) const {
    const int64_t rows = x.dims[x.dims.size() - 2], columns = x.dims.back();
    if (x.size == 0) invalid("there is no path through costs of shape ", shown(x.dims));
    const Tensor total(DataType::f32, {rows, columns}, context.budget), from(DataType::u8, {rows, columns}, context.budget);
    float* cost = total.data<float>();
    uint8_t* step = from.data<uint8_t>();
    for (int64_t r = 0; r < rows; ++r) {
      if (r % 256 == 0) context.check();
      for (int64_t c = 0; c < columns; ++c) {
        const int64_t at = r * columns + c;
        constexpr float none = std::numeric_limits<float>::infinity();
        const float both = r && c ? cost[at - columns - 1] : none, down = r ? cost[at - columns] : none, right = c ? cost[at - 1] : none;
        step[at] = !r && !c ? 0 : !r ? 2 : !c ? 1 : both < down && both < right ? 0 : down < both && down < right ? 1 : 2;
        cost[at] = !r && !c ? x[at] : x[at] + (step[at] == 0 ? both : step[at] == 1 ? down : right);
      }
    }
    std::vector<int32_t> down, right;
    for (int64_t r = rows - 1, c = columns - 1; r >= 0 && c >= 0;) {          // ends at the first element, which has both
      down.push_back(int32_t(r)), right.push_back(int32_t(c));
      const uint8_t taken = step[r * columns + c];
      r -= taken != 2, c -= taken != 1;
    }
    int32_t* to = path.allocate({2, int64_t(down.size())});
    std::copy(right.rbegin(), right.rend(), std::copy(down.rbegin(), down.rend(), to));
  }
};

// Every slice of `size` neighbours along `dim`, `step` apart; the slice is a new last axis.
struct UnfoldTensor : contrib::UnfoldTensor {
  void prepare(const Preparation&) const {
    if (size < 1 || step < 1) fail(Code::bad_model, "size is ", size, " and step is ", step, ", expected 1 or more");
  }
  void infer(Inference& io) const {
    Dims out = io.dims(0);
    const auto at = size_t(axis_of(dim, int64_t(out.size())));
    if (is_symbol(out[at])) out[at] = io.unknown();
    else if (out[at] < size) invalid("slices of ", size, " of an axis of ", out[at]);
    else out[at] = (out[at] - size) / step + 1;
    out.push_back(size);
    io.output(0, out);
  }
  template <class T> void run(In<T> x, Out<T> y) const {
    const int64_t at = axis_of(dim, x.rank()), inner = product(x.dims, at + 1, x.rank()), n = x.dims[size_t(at)], slices = y.dims[size_t(at)];
    const int64_t outer = product(x.dims, 0, at);
    T* to = y.data;
    for (int64_t o = 0; o < outer; ++o)
      for (int64_t s = 0; s < slices; ++s)
        for (int64_t i = 0; i < inner; ++i)
          for (int64_t k = 0; k < size; ++k) *to++ = x[(o * n + s * step + k) * inner + i];
  }
};

struct IsAllFinite : contrib::IsAllFinite {
  void prepare(const Preparation&) const {
    if (isinf_only && isnan_only) fail(Code::bad_model, "isinf_only and isnan_only exclude each other");
  }
  void infer(Inference& io) const { io.output(0, DataType::b8, {}); }
  void run(Call& call) const {
    bool all = true;
    for (size_t i = 0; all && i < call.inputs.size(); ++i)
      for (const double v : as_doubles(call.tensor(i))) all = all && !((std::isinf(v) && !isnan_only) || (std::isnan(v) && !isinf_only));
    *call.output(0).data<bool>() = all;
  }
};

}  // namespace

Operators contrib_sequences() {
  return {
      define<NGramRepeatBlock>({.examples = {"int64 [[1, 2, 1], [1, 2, 3]], float [[5, 6, 7, 8], [5, 6, 7, 8]]; ngram_size=2 -> float [[5, 6, -inf, 8], [5, 6, 7, 8]]"}}),
      define<DynamicTimeWarping>({.examples = {"float [[1, 9, 9], [1, 9, 9], [9, 1, 1]] -> int32 [[0, 1, 2, 2], [0, 0, 1, 2]]"}}),
      define<UnfoldTensor, by_width(UnfoldTensor::T)>({.examples = {"float [1, 2, 3, 4, 5]; size=2, step=2 -> float [[1, 2], [3, 4]]",
                                                                   "int64 [[1, 2], [3, 4], [5, 6]]; dim=0, size=2 -> int64 [[[1, 3], [2, 4]], [[3, 5], [4, 6]]]"}}),
      define<IsAllFinite>({.examples = {"float [1, 2], float [3] -> bool 1", "double [1, inf] -> bool 0", "float [nan]; isinf_only=1 -> bool 1"}}),
  };
}

}  // namespace onward::ops
