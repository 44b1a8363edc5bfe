// The k least approximations of half the squared distances less |x|²/2 set the limit; twice their error is added to it.
#include "onward/ops/near_candidates.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "onward/ops/code_kernels.h"
#include "onward/ops/code_product.h"
#include "onward/simd/targets.h"

namespace onward {
namespace {

constexpr int64_t lanes = 16, widest = 128;
constexpr double unit = 0x1p-24, largest = 1e30;          // a rounding's largest relative error; lengths up to this are far from overflow
constexpr int64_t fewest_coded = 8;                       // features from which on codes are worth their packing
constexpr double precise = 0.03;                          // what codes may lose of a row, as a part of the rows' length
constexpr double underflow = 0x1p-147;                     // twice what a product too small for a float loses
constexpr float infinity = std::numeric_limits<float>::infinity();

// A vector of integers as floats. The conversion wants to know its types outside of templates.
template <int bytes> struct Floats;
#define ONWARD_FLOATS(BYTES) \
  template <> struct Floats<BYTES> { \
    typedef int32_t I __attribute__((vector_size(BYTES))); \
    typedef float V __attribute__((vector_size(BYTES))); \
    [[gnu::always_inline]] static V from(const int32_t* codes) { \
      I v; \
      std::memcpy(&v, codes, sizeof v); \
      return __builtin_convertvector(v, V); \
    } \
  };
ONWARD_FLOATS(16)
ONWARD_FLOATS(32)
ONWARD_FLOATS(64)
#undef ONWARD_FLOATS

// Rows of products x·s of one chunk: the least |s|²/2 - x·s in each lane, and which are within the row's limit.
struct Scan {
  const float* products;                                  // [rows][width]
  const int32_t* codes;                                   // or null: the same in units
  const float* units;
  int64_t rows, width;
  const float *offsets, *limits;
  float* least;                                           // [rows][lanes]
  uint32_t* within;                                       // a bit for each lane
};
template <int bytes> struct Least {
  typedef float V __attribute__((vector_size(bytes)));
  static constexpr int64_t per_vector = bytes / 4;
  static constexpr int vectors = int(lanes / per_vector);

  [[gnu::always_inline]] static V at(const float* from) {
    V v;
    std::memcpy(&v, from, sizeof v);
    return v;
  }
  template <bool coded> [[gnu::always_inline]] static void run(const Scan& scan) {
    for (int64_t r = 0; r < scan.rows; ++r) {
      const float *product = scan.products + (coded ? 0 : r * scan.width), *offset = scan.offsets;
      const int32_t* code = coded ? scan.codes + r * scan.width : nullptr;
      const float unit = coded ? scan.units[r] : 0;
      V least[vectors];
#pragma GCC unroll 4
      for (int k = 0; k < vectors; ++k) least[k] = V{} + infinity;
      for (int64_t v = 0; v < scan.width; v += lanes, offset += lanes)
#pragma GCC unroll 4
        for (int k = 0; k < vectors; ++k) {
          V a = at(offset + k * per_vector);
          if constexpr (coded) a = a - unit * Floats<bytes>::from(code + v + k * per_vector);
          else a = a - at(product + v + k * per_vector);
          least[k] = a < least[k] ? a : least[k];
        }
      float* const to = scan.least + r * lanes;
#pragma GCC unroll 4
      for (int k = 0; k < vectors; ++k) {
        const V v = least[k];
        std::memcpy(to + k * per_vector, &v, sizeof v);
      }
      const float limit = scan.limits[r];
      uint32_t within = 0;
#pragma GCC unroll 1
      for (uint32_t l = 0; l < uint32_t(lanes); ++l) within |= to[l] <= limit ? 1u << l : 0u;
      scan.within[r] = within;
    }
  }
  [[gnu::always_inline]] static void run(const Scan& scan) {
    if (scan.codes) run<true>(scan);
    else run<false>(scan);
  }
};
[[gnu::flatten, ONWARD_AVX512]] void avx512(const Scan& scan) { Least<64>::run(scan); }
[[gnu::flatten, ONWARD_AVX2]] void avx2(const Scan& scan) { Least<32>::run(scan); }
[[gnu::flatten]] void baseline(const Scan& scan) { Least<16>::run(scan); }

// The rows of one x that are within its limit so far. Their measure is half a squared distance less |x|²/2; the limit is the k-th least
// that was seen, and twice the error: of a distance what codes lose, and of the measure what floats do.
struct Search {
  struct Near { float apart; int64_t number; };
  std::vector<Near> near;
  std::vector<float> least;                               // the k least, ascending
  float limit = infinity;
  double slack = 0, lost = 0, length = 0;                 // length: |x|² of the coded x

  void offer(float apart, int64_t number, size_t k) {
    if (!(apart <= limit) || apart == infinity) return;
    near.push_back({apart, number});
    if (rank(apart, k)) tighten();
  }
  // Whether the k-th least is known and has changed.
  bool rank(float apart, size_t k) {
    if (least.size() == k) {
      if (apart >= least.back()) return false;
      least.pop_back();
    }
    size_t at = least.size();
    least.push_back(apart);
    for (; at > 0 && apart < least[at - 1]; --at) least[at] = least[at - 1];
    least[at] = apart;
    return least.size() == k;
  }
  void tighten() {
    double measure = least.back() + slack;
    if (lost > 0) {
      const double distance = std::sqrt(std::max(0.0, 2 * measure + length)) + 2 * lost;
      measure = (distance * distance - length) / 2 + slack;
    }
    limit = std::min(limit, float(measure + 4 * unit * std::fabs(measure)));
  }
  // None, where they are too many to have been worth it.
  void write(std::vector<int64_t>& numbers, size_t most) const {
    if (near.size() > most) return;
    for (const Near& row : near) if (row.apart <= limit) numbers.push_back(row.number);
    std::sort(numbers.begin(), numbers.end());
  }
};

// x in units of its own, which is returned, as codes about zero.
float encode(const float* x, int64_t n, int32_t zero, uint8_t* codes, Search& search) {
  float size = 0;
  for (int64_t i = 0; i < n; ++i) size = std::max(size, std::fabs(x[i]));
  const float unit = std::max(size / float(zero - 1), std::numeric_limits<float>::min());
  double lost = 0, length = 0;
  for (int64_t i = 0; i < n; ++i) {
    const int32_t code = nearest(x[i] / unit);
    const double rest = x[i] - double(unit) * code;
    codes[i] = uint8_t(code + zero), lost += rest * rest, length += double(code) * code;
  }
  search.lost = std::sqrt(lost), search.length = length * double(unit) * unit;
  return unit;
}

template <class T> double squared_length(const T* x, int64_t n) {
  double sum = 0;
  for (int64_t i = 0; i < n; ++i) sum += double(x[i]) * double(x[i]);
  return sum;
}

}  // namespace

template <class T> NearCandidates::NearCandidates(const T* rows, int64_t count, int64_t features) : features_(features) {
  if (count < widest || features == 0) return;
  std::vector<double> total(static_cast<size_t>(features));
  for (int64_t i = 0; i < count * features; ++i) total[size_t(i % features)] += double(rows[i]);
  for (double t : total) middle_.push_back(float(t / double(count)));
  std::vector<float> moved(size_t(count * features));
  for (int64_t i = 0; i < count * features; ++i) moved[size_t(i)] = float(double(rows[i]) - middle_[size_t(i % features)]);
  for (int64_t v = 0; v < count; ++v) {
    const double length = squared_length(moved.data() + v * features, features);
    if (!(length <= largest)) return;
    longest_ = std::max(longest_, length);
  }
  if (features >= fewest_coded) choose_codes(moved.data(), count);
  for (int64_t first = 0; first < count; first += widest) {
    const float* from = moved.data() + first * features;
    const int64_t some = std::min(widest, count - first);
    chunks_.push_back(unit_ > 0 ? coded_chunk(from, first, some) : chunk(from, first, some));
  }
}

void NearCandidates::choose_codes(const float* moved, int64_t count) {
  float size = 0;
  double all = 0, lost = 0;
  for (int64_t i = 0; i < count * features_; ++i) size = std::max(size, std::fabs(moved[i])), all += double(moved[i]) * moved[i];
  const float unit = size / 127;
  if (!(unit >= 1e-30f) || features_ > 1 << 16) return;
  for (int64_t v = 0; v < count; ++v) {
    double of_row = 0;
    for (int64_t i = 0; i < features_; ++i) {
      const double rest = moved[v * features_ + i] - double(unit) * nearest(moved[v * features_ + i] / unit);
      of_row += rest * rest;
    }
    lost = std::max(lost, std::sqrt(of_row));
  }
  if (lost <= precise * std::sqrt(all / double(count))) unit_ = unit, lost_ = lost, zero_ = seven_bits_are_faster() ? 64 : 128;
}

NearCandidates::Chunk NearCandidates::chunk(const float* moved, int64_t first, int64_t count) const {
  Chunk out{.first = first, .width = (count + lanes - 1) / lanes * lanes};
  out.offsets.assign(size_t(out.width), infinity);
  std::vector<float> columns(size_t(features_ * out.width));
  for (int64_t v = 0; v < count; ++v) {
    for (int64_t i = 0; i < features_; ++i) columns[size_t(i * out.width + v)] = moved[v * features_ + i];
    out.offsets[size_t(v)] = float(squared_length(moved + v * features_, features_) / 2);
  }
  out.columns = PackedMatrix<float>(columns.data(), features_, out.width);
  return out;
}
NearCandidates::Chunk NearCandidates::coded_chunk(const float* moved, int64_t first, int64_t count) const {
  Chunk out{.first = first, .width = (count + lanes - 1) / lanes * lanes};
  const int64_t panel = padded_k(features_) * panel_columns;
  out.offsets.assign(size_t(out.width), infinity), out.shifts.resize(size_t(out.width)), out.panels.resize(size_t(out.width / panel_columns * panel));
  for (int64_t v = 0; v < count; ++v) {
    int8_t* to = out.panels.data() + v / panel_columns * panel + v % panel_columns * 4;
    double length = 0;
    for (int64_t i = 0; i < features_; ++i) {
      const int32_t code = nearest(moved[v * features_ + i] / unit_);
      to[i / 4 * 64 + i % 4] = int8_t(code), out.shifts[size_t(v)] -= zero_ * code, length += double(code) * code;
    }
    out.offsets[size_t(v)] = float(length * double(unit_) * unit_ / 2);
  }
  return out;
}

// The error of half a squared distance, in units of |x|² + |s|²: the product's is features / 2, that of moved coordinates 2, of offsets and
// differences 2; what the exact measure itself may round, where T is float, is features + 4.
template <class T> void NearCandidates::find(const T* x, int64_t n, int64_t k, std::vector<int64_t> (&found)[together]) const {
  constexpr void (*all[])(const Scan&) = ONWARD_PER_TARGET(baseline, avx2, avx512);
  const auto scan = all[size_t(simd::best())];
  const int64_t stride = padded_k(features_);
  std::vector<float> moved(size_t(n * features_));
  std::vector<uint8_t> codes(size_t(unit_ > 0 ? n * stride : 0));
  float products[together * widest], limits[together], least[together * lanes], units[together];
  int32_t coded[together * widest];
  uint32_t within[together];
  Search searches[together];
  for (int64_t r = 0; r < n; ++r) {
    float* const row = moved.data() + r * features_;
    for (int64_t i = 0; i < features_; ++i) row[i] = float(double(x[r * features_ + i]) - middle_[size_t(i)]);
    const double length = squared_length(row, features_);
    Search& search = searches[r];
    search.slack = 2 * unit * (1.5 * double(features_) + 12) * (length + longest_) + double(features_ + 4) * underflow;
    limits[r] = search.limit = length <= largest ? infinity : -infinity;
    units[r] = unit_ > 0 && length <= largest ? unit_ * encode(row, features_, zero_, codes.data() + r * stride, search) : 0;
    search.lost += lost_;
  }
  const auto pass = [&](const Chunk& chunk) {
    if (unit_ > 0) code_kernel({codes.data(), stride, chunk.panels.data(), chunk.width, features_, chunk.shifts.data(), coded, chunk.width, zero_ == 64}, n);
    else chunk.columns.product(moved.data(), products, n);
    scan(Scan{products, unit_ > 0 ? coded : nullptr, units, n, chunk.width, chunk.offsets.data(), limits, least, within});
  };
  // The first limits, from the least of every lane of some chunks: with those few rows pass as candidates.
  const size_t first = std::min<size_t>(8, chunks_.size() / 8);
  for (size_t c = 0; c < first; ++c) {
    pass(chunks_[c]);
    for (int64_t i = 0; i < n * lanes; ++i) searches[i / lanes].rank(least[i], size_t(k));
  }
  for (int64_t r = 0; r < n; ++r) {
    if (int64_t(searches[r].least.size()) == k) searches[r].tighten();
    searches[r].least.clear();
    limits[r] = searches[r].limit;
  }
  for (const Chunk& chunk : chunks_) {
    pass(chunk);
    for (int64_t r = 0; r < n; ++r) {
      Search& search = searches[r];
      const auto product = [&](int64_t v) { return unit_ > 0 ? units[r] * float(coded[r * chunk.width + v]) : products[r * chunk.width + v]; };
      for (uint32_t left = within[r]; left != 0; left &= left - 1)
        for (int64_t v = std::countr_zero(left); v < chunk.width; v += lanes) search.offer(chunk.offsets[size_t(v)] - product(v), chunk.first + v, size_t(k));
      limits[r] = search.limit;
    }
  }
  for (int64_t r = 0; r < n; ++r) {
    found[r].clear();
    searches[r].write(found[r], size_t(std::max<int64_t>(chunks_.back().first / 4, widest)));
  }
}

template NearCandidates::NearCandidates(const float*, int64_t, int64_t);
template NearCandidates::NearCandidates(const double*, int64_t, int64_t);
template void NearCandidates::find(const float*, int64_t, int64_t, std::vector<int64_t> (&)[together]) const;
template void NearCandidates::find(const double*, int64_t, int64_t, std::vector<int64_t> (&)[together]) const;

}  // namespace onward
