// Concat: tensors joined along one axis.
#include "onward/ops/side_by_side.h"

namespace onward::ops {
namespace {

struct Concat : standard::Concat {
  void infer(Inference& io) const {
    Dims out = io.dims(0);
    const int64_t at = axis_of(axis, int64_t(out.size()));
    for (size_t i = 1; i < io.inputs.size(); ++i) {
      const Dims& more = io.dims(i);
      if (more.size() != out.size()) invalid("cannot join " + shown(out) + " and " + shown(more));
      for (size_t k = 0; k < out.size(); ++k) {
        if (int64_t(k) == at) out[k] = io.add(out[k], more[k]);
        else if (out[k] < 0) out[k] = more[k];
        else if (more[k] >= 0 && more[k] != out[k]) invalid("cannot join " + shown(out) + " and " + shown(more) + " along axis " + std::to_string(at));
      }
    }
    io.output(0, out);
    Dims joined;                        // of shape vectors, the items
    for (size_t i = 0; i < io.inputs.size(); ++i) {
      const auto sizes = out.size() == 1 && io.symbols ? io.sizes(i) : std::nullopt;
      if (!sizes) return;
      joined.insert(joined.end(), sizes->begin(), sizes->end());
    }
    io.output_sizes(0, joined);
  }

  template <class T> void run(Ins<T> parts, Out<T> y) const {
    const int64_t at = axis_of(axis, y.rank()), outer = product(y.dims, 0, at);
    if (y.size == 0) return;
    struct Chunk { const T* from; int64_t size; };        // of one row
    std::vector<Chunk> chunks;
    for (const In<T>& part : parts) chunks.push_back({part.data, part.size / outer});
    T* to = y.data;
    for (int64_t row = 0; row < outer; ++row)
      for (Chunk& chunk : chunks) {
        for (int64_t i = 0; i < chunk.size; ++i) to[i] = chunk.from[i];
        to += chunk.size, chunk.from += chunk.size;
      }
  }
  LaneStep side_by_side(const LaneSite& site) const {
    const LaneValue& y = site.output;
    const int64_t at = axis_of(axis, int64_t(y.dims.size()));
    if (at == 0 || y.type == DataType::str) return {};
    const int64_t outer = product(y.dims, 1, at), column = site.lanes * int64_t(size_of(y.type));
    struct Part { int64_t from, bytes; };                 // of one of `outer`
    std::vector<Part> parts;
    for (const LaneValue& x : site.inputs) {
      if (x.at < 0) return {};
      parts.push_back({x.at, x.columns() / outer * column});
    }
    return [parts, outer, to = y.at](char* block) {
      char* next = block + to;
      for (int64_t row = 0; row < outer; ++row)
        for (const Part& part : parts) std::memcpy(next, block + part.from + row * part.bytes, size_t(part.bytes)), next += part.bytes;
    };
  }
};

}  // namespace

Operators tensor_concat() {
  return {define<Concat, by_width(Concat::T)>({.examples = {
      "float [[1], [2]], float [[3], [4]]; axis=1 -> float [[1, 3], [2, 4]]", "string [\"a\"], string [\"b\"]; axis=0 -> string [\"a\", \"b\"]"}})};
}

LaneForms concat_lanes() { return {{"Concat", member_form<Concat>}}; }

}  // namespace onward::ops
