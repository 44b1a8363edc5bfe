// Only the middle of the vectors is subtracted in double: all else is in floats, whose errors are counted at `run`.
#include "onward/ops/radial_sums.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "onward/ops/multiply_add.h"
#include "onward/simd/targets.h"

namespace onward {
namespace {

constexpr int64_t lanes = 16, widest = 128;               // of a chunk: its products and weights stay in the first cache
constexpr int64_t most_sums = 4096;                       // of a row: they stay in the caches
constexpr double log2_e = 1.4426950408889634;
constexpr double unit = 0x1p-24;                          // a rounding's largest relative error
constexpr double accurate = 4e-6;                         // expected relative error of a kernel value up to which a row is not refused

// Rows of a chunk.
struct Step {
  float* products;                                        // [rows][width]
  int64_t rows, width;
  const float *offsets, *of_rows;                         // of vectors and of rows
  float factor;
  const float* weights;                                   // [sets][width]
  int64_t sets;
  double* sums;                                           // row r, set s: `lanes` numbers from r * stride + s * set_stride on
  int64_t stride, set_stride;
};

// Of rows of products x·s with the vectors of a chunk: kernel values 2^(factor x·s + offsets), weighted and added up in `lanes` sums.
template <int bytes, bool fused> struct Kernel {
  typedef float V __attribute__((vector_size(bytes)));
  typedef uint32_t Bits __attribute__((vector_size(bytes)));
  static constexpr int64_t per_vector = bytes / 4;
  static constexpr int vectors = int(lanes / per_vector);

  [[gnu::always_inline]] static V all(float x) { return V{} + x; }
  [[gnu::always_inline]] static V at(const float* from) {
    V v;
    std::memcpy(&v, from, sizeof v);
    return v;
  }
  [[gnu::always_inline]] static V times_plus(V a, const V& b, V c) {
    multiply_add_vectors<fused, float>(c, a, b);
    return c;
  }
  // By 2^k 2^r, |r| <= 1/2, polynomial with the least largest error (2^-29). Where |x| < 126: elsewhere the row is refused.
  [[gnu::always_inline]] static V power_of_2(V x) {
    constexpr float round = 12582912.0f;                  // 1.5 * 2^23; the integer stands in the low bits of the sum
    const V sum = x + round, r = x - (sum - round);
    V p = all(1.535336131e-4f);
    p = times_plus(p, r, all(1.3398875e-3f));
    p = times_plus(p, r, all(9.618437365e-3f));
    p = times_plus(p, r, all(5.55033247e-2f));
    p = times_plus(p, r, all(0.2402264791f));
    p = times_plus(p, r, all(0.6931472029f));
    p = times_plus(p, r, all(1.0f));
    return V(Bits(p) + (Bits(sum) << 23));
  }
  [[gnu::always_inline]] static V value(const float* product, const float* offset, V of_row, V factor) { return power_of_2(times_plus(factor, at(product), at(offset) + of_row)); }

  // One set of weights: each value is used at once.
  [[gnu::always_inline]] static void one_set(const Step& step) {
    for (int64_t r = 0; r < step.rows; ++r) {
      const float *product = step.products + r * step.width, *offset = step.offsets, *weight = step.weights;
      const V of_row = all(step.of_rows[r]), factor = all(step.factor);
      V sum[vectors] = {};
      for (int64_t v = 0; v < step.width; v += lanes, product += lanes, offset += lanes, weight += lanes)
#pragma GCC unroll 4
        for (int k = 0; k < vectors; ++k)
          sum[k] = times_plus(value(product + k * per_vector, offset + k * per_vector, of_row, factor), at(weight + k * per_vector), sum[k]);
      add(sum, step.sums + r * step.stride);
    }
  }
  [[gnu::always_inline]] static void many_sets(const Step& step) {
    for (int64_t r = 0; r < step.rows; ++r) {
      float* const values = step.products + r * step.width;
      const V of_row = all(step.of_rows[r]), factor = all(step.factor);
      for (int64_t v = 0; v < step.width; v += per_vector) {
        const V k = value(values + v, step.offsets + v, of_row, factor);
        std::memcpy(values + v, &k, sizeof k);
      }
      for (int64_t set = 0; set < step.sets; ++set) {
        V sum[vectors] = {};
        for (int64_t v = 0; v < step.width; v += lanes)
#pragma GCC unroll 4
          for (int k = 0; k < vectors; ++k) sum[k] = times_plus(at(values + v + k * per_vector), at(step.weights + set * step.width + v + k * per_vector), sum[k]);
        add(sum, step.sums + r * step.stride + set * step.set_stride);
      }
    }
  }
  [[gnu::always_inline]] static void add(const V (&sum)[vectors], double* to) {
#pragma GCC unroll 4
    for (int k = 0; k < vectors; ++k) {
      float part[per_vector];
      const V v = sum[k];
      std::memcpy(part, &v, sizeof v);
#pragma GCC unroll 1
      for (int64_t l = 0; l < per_vector; ++l) to[k * per_vector + l] += part[l];
    }
  }
  [[gnu::always_inline]] static void run(const Step& step) {
    if (step.sets == 1) one_set(step);
    else many_sets(step);
  }
};
[[gnu::flatten, ONWARD_AVX512]] void avx512(const Step& step) { Kernel<64, true>::run(step); }
[[gnu::flatten, ONWARD_AVX2]] void avx2(const Step& step) { Kernel<32, true>::run(step); }
[[gnu::flatten]] void baseline(const Step& step) { Kernel<16, simd::baseline_fuses>::run(step); }

double squared_length(const float* x, int64_t n) {
  double sum = 0;
  for (int64_t i = 0; i < n; ++i) sum += double(x[i]) * x[i];
  return sum;
}
double added(const double* sum) {
  double all = 0;
  for (int64_t l = 0; l < lanes; ++l) all += sum[l];
  return all;
}

}  // namespace

RadialSums::RadialSums(const Vectors& vectors, double gamma) : width_(vectors.columns), sets_(vectors.sets), segments_(int64_t(vectors.counts.size())), gamma_(gamma) {
  int64_t all = 0, padded = 0;
  for (int64_t n : vectors.counts) all += n, padded += (n + lanes - 1) / lanes * lanes;
  if (padded > 4 * all + lanes || sets_ * segments_ > most_sums) return;    // small segments are more padding than work
  const auto finite = [](std::span<const float> values) { return std::all_of(values.begin(), values.end(), [](float x) { return std::isfinite(x); }); };
  if (all == 0 || width_ == 0 || !(gamma >= 0 && std::isfinite(float(2 * gamma))) || !finite({vectors.rows, size_t(all * width_)}) || !finite({vectors.weights, size_t(sets_ * all)})) return;
  std::vector<double> total(static_cast<size_t>(width_));
  for (int64_t i = 0; i < all * width_; ++i) total[size_t(i % width_)] += vectors.rows[i];
  for (double t : total) middle_.push_back(float(t / double(all)));
  int64_t first = 0;
  for (int64_t segment = 0; segment < segments_; ++segment)
    for (int64_t left = vectors.counts[size_t(segment)]; left > 0; left -= widest) {
      const int64_t count = std::min(left, widest);
      add_chunk(vectors, first, count, segment, all);
      first += count;
    }
  for (int64_t set = 0; set < sets_; ++set) {
    const float* weight = vectors.weights + set * all;
    for (int64_t n : vectors.counts) {
      const bool differ = std::any_of(weight, weight + n, [](float w) { return w > 0; }) && std::any_of(weight, weight + n, [](float w) { return w < 0; });
      double sum = 0;
      for (int64_t v = 0; v < n; ++v) sum += std::fabs(weight[v]);
      mixed_.push_back(differ ? sum : -1);
      weight += n;
    }
  }
}

void RadialSums::add_chunk(const Vectors& vectors, int64_t first, int64_t count, int64_t segment, int64_t all) {
  Chunk chunk{segment, (count + lanes - 1) / lanes * lanes, {}, {}, {}};
  chunk.offsets.resize(size_t(chunk.width)), chunk.weights.resize(size_t(sets_ * chunk.width));
  std::vector<float> columns(size_t(width_ * chunk.width)), moved(static_cast<size_t>(width_));
  for (int64_t v = 0; v < count; ++v) {
    for (int64_t i = 0; i < width_; ++i) moved[size_t(i)] = columns[size_t(i * chunk.width + v)] = float(double(vectors.rows[(first + v) * width_ + i]) - middle_[size_t(i)]);
    const double length = squared_length(moved.data(), width_);
    longest_ = std::max(longest_, length);
    chunk.offsets[size_t(v)] = float(-gamma_ * log2_e * length);
    for (int64_t set = 0; set < sets_; ++set) chunk.weights[size_t(set * chunk.width + v)] = vectors.weights[set * all + first + v];
  }
  chunk.columns = PackedMatrix<float>(columns.data(), width_, chunk.width);
  chunks_.push_back(std::move(chunk));
}

// A row's error. Roundings of coordinates move |x - s|² by 4 units of |x|² + |s|², those of the product by at most `width_` units and as a
// rule by the root of that, those of the exponent's terms by 4; exp, weights and sums add 20 units.
void RadialSums::run(const double* x, int64_t n, double* sums, double* errors) const {
  constexpr void (*all[])(const Step&) = ONWARD_PER_TARGET(baseline, avx2, avx512);
  const auto step = all[size_t(simd::best())];
  std::vector<float> moved(size_t(std::min(n, together) * width_)), values(size_t(together * widest));
  std::vector<double> parts(size_t(std::min(n, together) * sets_ * segments_ * lanes));
  float offsets[together];
  for (int64_t begin = 0; begin < n; begin += together) {
    const int64_t rows = std::min(together, n - begin);
    for (int64_t r = 0; r < rows; ++r) {
      float* to = moved.data() + r * width_;
      for (int64_t i = 0; i < width_; ++i) to[i] = float(x[(begin + r) * width_ + i] - middle_[size_t(i)]);
      const double length = squared_length(to, width_), size = gamma_ * (length + longest_);
      offsets[r] = float(-gamma_ * log2_e * length);
      const bool good = unit * (size * (std::sqrt(double(width_)) + 4) + 8) <= accurate;
      errors[begin + r] = good ? unit * (size * double(width_ + 8) + 20) : std::numeric_limits<double>::infinity();
    }
    std::fill(parts.begin(), parts.end(), 0.0);
    for (const Chunk& chunk : chunks_) {
      chunk.columns.product(moved.data(), values.data(), rows);
      step(Step{values.data(), rows, chunk.width, chunk.offsets.data(), offsets, float(2 * log2_e * gamma_), chunk.weights.data(), sets_,
                parts.data() + chunk.segment * lanes, sets_ * segments_ * lanes, segments_ * lanes});
    }
    for (int64_t i = 0; i < rows * sets_ * segments_; ++i) sums[begin * sets_ * segments_ + i] = added(parts.data() + i * lanes);
  }
}

}  // namespace onward
