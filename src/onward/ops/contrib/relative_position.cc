// RelativePositionBias: a learned bias for the distance of query and key, in buckets that grow with the distance, as T5 has them.
#include <cmath>
#include "onward/ops/contrib.h"
#include "onward/ops/operator.h"

namespace onward::ops {
namespace {

struct RelativePositionBias : contrib::RelativePositionBias {
  void prepare(const Preparation&) const {
    if (max_distance < 1) invalid("max_distance is ", max_distance, ", expected 1 or more");
  }
  void infer(Inference& io) const {
    const Dims& table = io.dims(0);
    if (table.size() != 2 || (!is_symbol(table[0]) && table[0] < 4)) invalid("a table of shape ", shown(table), ", expected at least four buckets and the heads");
    const auto size = [&](size_t i) {
      const auto given = io.sizes(i);
      if (given && (given->size() != 1 || (!is_symbol((*given)[0]) && (*given)[0] < 0))) invalid("input ", i, " is no size");
      return given ? (*given)[0] : io.unknown();
    };
    io.output(0, {1, table[1], size(1), size(2)});
  }

  template <class T> void run(In<T> table, Integers, Integers, Out<T> y) const {
    const int64_t buckets = table.dims[0], heads = table.dims[1], queries = y.dims[2], keys = y.dims[3];
    for (int64_t h = 0; h < heads; ++h) for (int64_t i = 0; i < queries; ++i) for (int64_t j = 0; j < keys; ++j)
      y[(h * queries + i) * keys + j] = table[bucket(j - i, buckets) * heads + h];
  }

 private:
  // Near distances have a bucket each; the others share the rest, evenly on a logarithmic scale up to max_distance.
  int64_t bucket(int64_t distance, int64_t buckets) const {
    int64_t first = 0;
    if (is_bidirectional) {
      buckets /= 2;
      if (distance > 0) first = buckets;
      distance = std::abs(distance);
    } else {
      distance = std::max<int64_t>(-distance, 0);
    }
    const int64_t exact = buckets / 2;
    if (distance < exact) return first + distance;
    const float share = std::log(float(distance) / float(exact)) / std::log(float(max_distance) / float(exact));
    const float far = float(exact) + share * float(buckets - exact);
    return first + (far < float(buckets - 1) ? std::max(int64_t(far), exact) : buckets - 1);
  }
};

}  // namespace

Operators contrib_relative_position() {
  return {define<RelativePositionBias, by_width(RelativePositionBias::T)>({.examples = {
      "float [[0], [1], [2], [3]], int64 [2], int64 [2]; max_distance=8, is_bidirectional=1 -> float [[[[0, 3], [1, 0]]]]",
      "float [[0], [1], [2], [3]], int64 [1], int64 [2]; max_distance=8 -> float [[[[0, 0]]]]"}})};
}

}  // namespace onward::ops
