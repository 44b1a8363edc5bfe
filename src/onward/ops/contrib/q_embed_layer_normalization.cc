// QEmbedLayerNormalization: the embeddings of words, positions and segments, all of 8-bit codes, added and normalised.
#include "onward/ops/contrib.h"
#include "onward/ops/normalise_rows.h"
#include "onward/ops/quantized.h"

namespace onward::ops {
namespace {

template <class Code> struct AddCodes {
  [[gnu::always_inline]] static void run(const Code* codes, float scale, int32_t zero, float* to, int64_t n) {
    for (int64_t i = 0; i < n; ++i) to[i] += scale * float(int32_t(codes[i]) - zero);
  }
};

struct QEmbedLayerNormalization : contrib::QEmbedLayerNormalization {
  void prepare(const Preparation& at) const {
    const auto given = [&](size_t i) { return i < at.node.inputs.size() && !at.node.inputs[i].empty(); };
    for (size_t i : {4, 10, 15}) if (given(i) != given(1)) fail(Code::bad_model, "segment ids, their embedding, its scale and its zero point belong together, found some of them");
  }
  void infer(Inference& io) const {
    const Dims &ids = io.dims(0), &words = io.dims(2);
    if (ids.size() != 2 || words.size() != 2) invalid("expected ids and word embeddings with two axes, found ", shown(ids), " and ", shown(words));
    io.output(0, DataType::f32, {ids[0], ids[1], words[1]});
    io.output(1, DataType::i32, {ids[0]});
  }
  void run(Call& call) const {
    const Tensor &ids = call.tensor(0), &y = call.output(0);
    const int64_t length = ids.dims()[1], hidden = y.dims()[2];
    const Table word(call, 2, 8, 13, hidden), position(call, 3, 9, 14, hidden), gamma(call, 5, 11, 16, hidden), beta(call, 6, 12, 17, hidden);
    const std::optional<Table> segment = call.has(1) ? std::optional<Table>(std::in_place, call, 4, 10, 15, hidden) : std::nullopt;
    const int32_t* segments = segment ? same_ids(call, 1, ids) : nullptr;
    const int32_t* words = same_ids(call, 0, ids);
    std::vector<float> scale(static_cast<size_t>(hidden)), shift(scale);
    gamma.add(0, scale.data()), beta.add(0, shift.data());
    call.context.parallel(ids.size(), 2.0 * double(hidden), [&](int64_t begin, int64_t end) {
      for (int64_t token = begin; token < end; ++token) {
        float* to = y.data<float>() + token * hidden;
        std::fill_n(to, hidden, 0.0f);
        word.add(words[token], to), position.add(token % length, to);
        if (segment) segment->add(segments[token], to);
        normalise(to, to, hidden, moments(to, hidden, epsilon, true), scale.data(), shift.data());
      }
    });
    if (call.wants(1) && call.outputs[1].tensor()) mask_index(call, ids.dims()[0], length);
  }

 private:
  struct Table {
    Tensor codes;
    Quantization form;
    int64_t rows, width;
    Table(const Call& call, size_t at, size_t scale, size_t zero, int64_t hidden) : codes(call.tensor(at)), form(quantization(call, scale, zero)), rows(codes.size() / std::max<int64_t>(hidden, 1)), width(hidden) {
      if (codes.dims().empty() || codes.dims().back() != hidden || !contains(u8 | i8, codes.type())) invalid("input ", at, " is ", shown(codes), ", expected 8-bit codes in rows of ", hidden);
    }
    void add(int64_t row, float* to) const {
      if (row < 0 || row >= rows) invalid("id ", row, " has no embedding, there are ", rows);
      if (codes.type() == DataType::i8) simd::run<AddCodes<int8_t>, float>(codes.data<const int8_t>() + row * width, form.scale, form.zero, to, width);
      else simd::run<AddCodes<uint8_t>, float>(codes.data<const uint8_t>() + row * width, form.scale, form.zero, to, width);
    }
  };
  static const int32_t* same_ids(const Call& call, size_t i, const Tensor& ids) {
    const Tensor& t = call.tensor(i);
    if (t.type() != DataType::i32 || t.dims() != ids.dims()) invalid("input ", i, " is ", shown(t), ", expected int32 ", shown(ids.dims()));
    return t.data<int32_t>();
  }
  // How many ones each row of the mask has; 0 without a mask.
  static void mask_index(const Call& call, int64_t batch, int64_t length) {
    auto* out = call.output(1).data<int32_t>();
    std::fill_n(out, batch, 0);
    if (!call.has(7)) return;
    const int32_t* mask = same_ids(call, 7, call.tensor(0));
    for (int64_t i = 0; i < batch * length; ++i) out[i / length] += mask[i] == 1;
  }
};

}  // namespace

Operators contrib_q_embed_layer_normalization() {
  return {define<QEmbedLayerNormalization>({.tolerance = 1e-5, .examples = {
      "int32 [[1, 0]], , uint8 [[0, 10], [4, 0]], uint8 [[0, 0], [1, 1]], , uint8 [2, 2], uint8 [1, 2], int32 [[1, 0]], float 1, float 1, , float 0.5, float 1, uint8 0, uint8 0, , uint8 0, uint8 0 -> "
      "float [[[2, 1], [0, 3]]], int32 [1]"}})};
}

}  // namespace onward::ops
