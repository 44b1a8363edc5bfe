#include "onward/ops/forest_masks.h"

#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"   // GCC 12 of its own intrinsics
#include <immintrin.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "onward/simd/targets.h"

namespace onward {
namespace {

constexpr int most_leaves = 256, most_targets = 256;

// The number of the leaf that each row reaches, counted from the first branches on: a row that goes to the second child of a node
// passes the leaves of the first. codes: [planes][rows].
template <class V, int rows, class Node> [[gnu::always_inline]] inline void leaf_numbers(const Node* nodes, int count, bool symmetric, const uint8_t* codes, uint8_t* out) {
  constexpr int parts = rows / int(sizeof(V));
  V passed[parts] = {};
  V reach[(2 * most_leaves - 1) * parts];
  for (int i = 0; i < parts; ++i) reach[i] = ~V{};
  V* children = reach + parts;
  for (int j = 0; j < count; ++j, children += 2 * parts) {
    const Node node = nodes[j];
    const V code = V{} + node.code, leaves = V{} + node.leaves;
    const V* column = reinterpret_cast<const V*>(codes + size_t(node.plane) * rows);
    const V* here = reach + node.slot * parts;
    for (int i = 0; i < parts; ++i) {
      const V above = V(column[i] > code);
      if (symmetric) {
        passed[i] += above & leaves;
        continue;
      }
      const V second = here[i] & above;
      children[i] = here[i] & ~above, children[parts + i] = second;
      passed[i] += second & leaves;
    }
  }
  std::memcpy(out, passed, rows);
}

using Bytes16 [[gnu::vector_size(16)]] = uint8_t;
using Bytes32 [[gnu::vector_size(32)]] = uint8_t;

template <int rows, class Node> [[gnu::flatten]] void leaf_numbers_baseline(const Node* n, int count, bool symmetric, const uint8_t* c, uint8_t* o) {
  symmetric ? leaf_numbers<Bytes16, rows>(n, count, true, c, o) : leaf_numbers<Bytes16, rows>(n, count, false, c, o);
}
template <int rows, class Node> [[gnu::flatten, ONWARD_AVX2]] void leaf_numbers_avx2(const Node* n, int count, bool symmetric, const uint8_t* c, uint8_t* o) {
  symmetric ? leaf_numbers<Bytes32, rows>(n, count, true, c, o) : leaf_numbers<Bytes32, rows>(n, count, false, c, o);
}

// The same with masks of one bit for a row.
template <int rows, class Node> [[ONWARD_AVX512]] void leaf_numbers_avx512(const Node* nodes, int count, bool symmetric, const uint8_t* codes, uint8_t* out) {
  constexpr int parts = rows / 64;
  __m512i passed[parts];
  uint64_t reach[(2 * most_leaves - 1) * parts];
  for (int i = 0; i < parts; ++i) reach[i] = ~uint64_t{0}, passed[i] = _mm512_setzero_si512();
  uint64_t* children = reach + parts;
  for (int j = 0; symmetric && j < count; ++j) {
    const __m512i code = _mm512_set1_epi8(char(nodes[j].code)), leaves = _mm512_set1_epi8(char(nodes[j].leaves));
    const uint8_t* column = codes + size_t(nodes[j].plane) * rows;
#pragma GCC unroll 4
    for (int i = 0; i < parts; ++i) passed[i] = _mm512_mask_add_epi8(passed[i], _mm512_cmpgt_epu8_mask(_mm512_load_si512(column + 64 * i), code), passed[i], leaves);
  }
  for (int j = 0; !symmetric && j < count; ++j, children += 2 * parts) {
    const __m512i code = _mm512_set1_epi8(char(nodes[j].code)), leaves = _mm512_set1_epi8(char(nodes[j].leaves));
    const uint8_t* column = codes + size_t(nodes[j].plane) * rows;
    const uint64_t* here = reach + nodes[j].slot * parts;
#pragma GCC unroll 4
    for (int i = 0; i < parts; ++i) {
      const uint64_t above = _mm512_cmpgt_epu8_mask(_mm512_load_si512(column + 64 * i), code), second = here[i] & above;
      children[i] = here[i] & ~above, children[parts + i] = second;
      passed[i] = _mm512_mask_add_epi8(passed[i], second, passed[i], leaves);
    }
  }
#pragma GCC unroll 4
  for (int i = 0; i < parts; ++i) _mm512_store_si512(out + 64 * i, passed[i]);
}

template <int rows, class T> void add_leaf_values(const uint8_t* leaf, const T* values, T* scores) {
  for (int r = 0; r < rows; ++r) scores[r] += values[leaf[r]];
}

// Up to 64 leaves stand in registers. Doubles: in two halves, so that one lookup serves sixteen rows.
template <int rows> [[ONWARD_AVX512]] void add_leaf_values_avx512(const uint8_t* leaf, const float* values, int32_t leaves, float* scores) {
  const auto lanes = [&](int32_t first) __attribute__((target("avx512f"))) { return __mmask16(leaves - first >= 16 ? 0xffff : leaves <= first ? 0 : (1 << (leaves - first)) - 1); };
  const __m512 a = _mm512_maskz_loadu_ps(lanes(0), values), b = _mm512_maskz_loadu_ps(lanes(16), values + 16);
  const bool many = leaves > 32;
  const __m512 c = _mm512_maskz_loadu_ps(lanes(32), values + 32), d = _mm512_maskz_loadu_ps(lanes(48), values + 48);
  for (int r = 0; r < rows; r += 16) {
    const __m512i at = _mm512_cvtepu8_epi32(_mm_load_si128(reinterpret_cast<const __m128i*>(leaf + r)));
    __m512 v = _mm512_permutex2var_ps(a, at, b);
    if (many) v = _mm512_mask_blend_ps(_mm512_test_epi32_mask(at, _mm512_set1_epi32(32)), v, _mm512_permutex2var_ps(c, at, d));
    _mm512_storeu_ps(scores + r, _mm512_add_ps(_mm512_loadu_ps(scores + r), v));
  }
}

template <int rows> [[ONWARD_AVX512]] void add_leaf_values_avx512(const uint8_t* leaf, const double* values, int32_t leaves, double* scores) {
  const bool many = leaves > 16, more = leaves > 32;
  const auto load = [&](int32_t first) __attribute__((target("avx512f"))) {
    return _mm512_maskz_loadu_pd(__mmask8(leaves - first >= 8 ? 0xff : leaves <= first ? 0 : (1 << (leaves - first)) - 1), values + first);
  };
  __m512d table[8];
  for (int i = 0; i < 8; ++i) table[i] = load(8 * i);
  for (int r = 0; r < rows; r += 8) {
    const __m512i at = _mm512_cvtepu8_epi64(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(leaf + r)));
    const __mmask8 odd = _mm512_test_epi64_mask(at, _mm512_set1_epi64(16));
    __m512d v = _mm512_permutex2var_pd(table[0], at, table[1]);
    if (many) v = _mm512_mask_blend_pd(odd, v, _mm512_permutex2var_pd(table[2], at, table[3]));
    if (more) {
      const __m512d w = _mm512_mask_blend_pd(odd, _mm512_permutex2var_pd(table[4], at, table[5]), _mm512_permutex2var_pd(table[6], at, table[7]));
      v = _mm512_mask_blend_pd(_mm512_test_epi64_mask(at, _mm512_set1_epi64(32)), v, w);
    }
    _mm512_storeu_pd(scores + r, _mm512_add_pd(_mm512_loadu_pd(scores + r), v));
  }
}

// Of 64 rows: 0 where a category of up to 256 is in the set of these 32 bytes, 255 elsewhere. A byte's place in the set is looked up by
// permutation, sixteen bytes at a time: numbers with their high bit set give zero.
void set_plane_baseline(const uint8_t* category, const uint8_t* set, uint8_t* out) {
  for (int r = 0; r < 64; ++r) out[r] = uint8_t((set[category[r] >> 3] >> (category[r] & 7) & 1) - 1);
}
[[ONWARD_AVX2]] void set_plane_avx2(const uint8_t* category, const uint8_t* set, uint8_t* out) {
  const __m256i low = _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(set)));
  const __m256i high = _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(set + 16)));
  const __m256i bits = _mm256_set1_epi64x(int64_t(0x8040201008040201));
  for (int r = 0; r < 64; r += 32) {
    const __m256i c = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(category + r));
    const __m256i byte = _mm256_and_si256(_mm256_srli_epi16(c, 3), _mm256_set1_epi8(31)), bit = _mm256_shuffle_epi8(bits, _mm256_and_si256(c, _mm256_set1_epi8(7)));
    const __m256i own = _mm256_or_si256(_mm256_shuffle_epi8(low, _mm256_add_epi8(byte, _mm256_set1_epi8(112))), _mm256_shuffle_epi8(high, _mm256_sub_epi8(byte, _mm256_set1_epi8(16))));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + r), _mm256_cmpeq_epi8(_mm256_and_si256(own, bit), _mm256_setzero_si256()));
  }
}
[[ONWARD_AVX512]] void set_plane_avx512(const uint8_t* category, const uint8_t* set, uint8_t* out) {
  const __m512i low = _mm512_broadcast_i32x4(_mm_loadu_si128(reinterpret_cast<const __m128i*>(set)));
  const __m512i high = _mm512_broadcast_i32x4(_mm_loadu_si128(reinterpret_cast<const __m128i*>(set + 16)));
  const __m512i c = _mm512_loadu_si512(category);
  const __m512i byte = _mm512_and_si512(_mm512_srli_epi16(c, 3), _mm512_set1_epi8(31)), bit = _mm512_shuffle_epi8(_mm512_set1_epi64(int64_t(0x8040201008040201)), _mm512_and_si512(c, _mm512_set1_epi8(7)));
  const __m512i own = _mm512_or_si512(_mm512_shuffle_epi8(low, _mm512_add_epi8(byte, _mm512_set1_epi8(112))), _mm512_shuffle_epi8(high, _mm512_sub_epi8(byte, _mm512_set1_epi8(16))));
  _mm512_storeu_si512(out, _mm512_movm_epi8(_mm512_testn_epi8_mask(own, bit)));
}

template <int rows, class Node> auto best_leaf_numbers() {
  constexpr bool wide = rows > 64;                       // only the widest registers gain by it
  const simd::Target target = simd::best();
  if (wide || target == simd::Target::avx512) return leaf_numbers_avx512<rows, Node>;
  return target == simd::Target::avx2 ? leaf_numbers_avx2<rows, Node> : leaf_numbers_baseline<rows, Node>;
}

}  // namespace

// What is at hand while blocks of rows are worked on.
template <class T> struct ReachMasks<T>::Block {
  std::unique_ptr<uint8_t, decltype(&std::free)> codes;  // [planes][rows]
  std::vector<int32_t> ranks;                            // [columns][64]
  std::vector<T> scores;                                 // [targets][rows], where each tree adds to one target
};

template <class T> bool ReachMasks<T>::suits(const PlainForest<T>& f, const Ranks<T>& ranks) {
  if (f.targets > most_targets || f.nodes() == 0) return false;
  if (ranks.columns().size() + ranks.sets().size() > 1 << 16) return false;
  SlotMaker<T> maker(f);
  return std::all_of(f.roots.begin(), f.roots.end(), [&](int32_t root) { return maker.of(root).leaves.size() <= size_t(most_leaves); });
}

template <class T>
ReachMasks<T>::ReachMasks(const PlainForest<T>& f, const Ranks<T>& ranks, const std::vector<typename Ranks<T>::Test>& tests) : sets_(ranks.sets().begin(), ranks.sets().end()), leaves_(f) {
  planes_.build(ranks);
  const auto planes = uint32_t(planes_.all().size());
  SlotMaker<T> maker(f);
  std::vector<int32_t> levels, below;
  for (const int32_t root : f.roots) {
    const TreeSlots& tree = maker.of(root);
    const bool symmetric = tree.depth <= 8 && is_symmetric<T>(tree, tests, f, &levels);
    below.assign(tree.from.size(), 1);                   // leaves below a slot
    for (size_t j = tree.inner.size(); j-- > 0;) below[size_t(tree.inner[j])] = below[2 * j + 1] + below[2 * j + 2];
    const auto add_node = [&](int32_t from, int32_t slot, int32_t leaves) {
      const auto place = planes_.place(tests[size_t(from)], f.mode[size_t(from)] == Branch::member);
      nodes_.push_back({uint32_t(place.plane), uint16_t(slot), place.code, uint8_t(leaves)});
    };
    if (symmetric) for (size_t l = 0; l < levels.size(); ++l) add_node(levels[l], 0, 1 << (levels.size() - 1 - l));
    else for (size_t j = 0; j < tree.inner.size(); ++j) add_node(tree.from[size_t(tree.inner[j])], tree.inner[j], below[2 * j + 1]);
    for (const int32_t slot : tree.leaves) leaves_.add(f, ~tree.from[size_t(slot)]);
    const auto nodes = int32_t(symmetric ? levels.size() : tree.inner.size());
    trees_.push_back({nodes, int32_t(tree.leaves.size()), leaves_.target_of(f, tree), symmetric});
    const double adding = leaves_.form != LeafTable<T>::Form::single ? 40.0 + 24.0 * double(f.targets) : tree.leaves.size() <= 64 ? 8.0 : 32.0;
    cost_ += 6.0 + 1.1 * nodes + adding;
  }
  for (const auto& set : sets_) cost_ += set.bits.size() <= 4 ? 4.0 : 64.0;
  cost_ += 5.0 * planes;
}

template <class T> void ReachMasks<T>::encode(const Ranks<T>& ranks, const T* x, int count, int64_t width, int rows, Block& block) const {
  for (int begin = 0; begin < count; begin += 64) {
    const int n = std::min(64, count - begin);
    ranks.rank(x + begin * width, width, n, block.ranks.data());
    uint8_t* out = block.codes.get() + begin;
    for (const auto& plane : planes_.all()) {
      const int32_t* own = block.ranks.data() + int64_t(plane.column) * n;
      for (int r = 0; r < n; ++r) out[r] = BytePlanes::code(own[r], plane.base);
      out += rows;
    }
    encode_sets(begin, n, rows, block);
  }
}

template <class T> void ReachMasks<T>::encode_sets(int begin, int n, int rows, Block& block) const {
  const simd::Target target = simd::best();
  const auto plane = target == simd::Target::avx512 ? set_plane_avx512 : target == simd::Target::avx2 ? set_plane_avx2 : set_plane_baseline;
  uint8_t* out = block.codes.get() + planes_.all().size() * size_t(rows) + begin;
  for (const auto& set : sets_) {
    const uint64_t* bits = set.bits.data();
    if (set.bits.size() <= 4) {
      uint64_t all[4] = {};
      std::copy_n(bits, set.bits.size(), all);
      plane(block.codes.get() + size_t(planes_.place(set.column, 0).plane) * size_t(rows) + begin, reinterpret_cast<const uint8_t*>(all), out);
    } else {
      const int32_t* own = block.ranks.data() + int64_t(set.column) * n;
      for (int r = 0; r < n; ++r) out[r] = uint8_t(~(bits[own[r] / 64] >> (own[r] % 64)) & 1);
    }
    out += rows;
  }
}

template <class T> template <int rows> void ReachMasks<T>::run_blocks(const Ranks<T>& ranks, const T*& x, int64_t& n, int64_t width, T*& scores, Block& block) const {
  const auto number = best_leaf_numbers<rows, Node>();
  const bool in_registers = simd::best() == simd::Target::avx512;
  const bool single = leaves_.form == LeafTable<T>::Form::single;
  const int64_t targets = leaves_.targets;
  const int count = int(std::min<int64_t>(rows, n));
  encode(ranks, x, count, width, rows, block);
  alignas(64) uint8_t leaf[rows];
  std::fill_n(block.scores.data(), single ? targets * rows : 0, T(0));
  std::fill_n(scores, count * targets, T(0));
  const Node* nodes = nodes_.data();
  int32_t first = 0;                                     // leaf of the tree
  for (const Tree& tree : trees_) {
    number(nodes, tree.nodes, tree.symmetric, block.codes.get(), leaf);
    if (!single) {
      add_several(leaf, count, first, scores);
    } else {
      const T* values = leaves_.values.data() + first;
      T* to = block.scores.data() + int64_t(tree.target) * rows;
      if (in_registers && tree.leaves <= 64) add_leaf_values_avx512<rows>(leaf, values, tree.leaves, to);
      else add_leaf_values<rows>(leaf, values, to);
    }
    nodes += tree.nodes, first += tree.leaves;
  }
  if (single) for (int r = 0; r < count; ++r) for (int64_t k = 0; k < targets; ++k) scores[r * targets + k] = block.scores[size_t(k * rows + r)];
  x += count * width, n -= count, scores += count * targets;
}

template <class T> void ReachMasks<T>::add_several(const uint8_t* leaf, int count, int32_t first, T* scores) const {
  if (leaves_.form == LeafTable<T>::Form::lists) {
    for (int r = 0; r < count; ++r) leaves_.add_to(scores + r * leaves_.targets, first + leaf[r], 0);
    return;
  }
  const T* values = leaves_.values.data() + first * leaves_.targets;
  const auto add = [&](auto targets) {
    for (int r = 0; r < count; ++r) {
      T* to = scores + r * targets;
      const T* own = values + leaf[r] * targets;
      for (int64_t k = 0; k < targets; ++k) to[k] += own[k];
    }
  };
  if (leaves_.targets == 2) add(std::integral_constant<int64_t, 2>());
  else if (leaves_.targets == 3) add(std::integral_constant<int64_t, 3>());
  else if (leaves_.targets == 4) add(std::integral_constant<int64_t, 4>());
  else add(leaves_.targets);
}

template <class T> void ReachMasks<T>::run(const Ranks<T>& ranks, const T* x, int64_t n, int64_t width, T* scores) const {
  const size_t planes = planes_.all().size() + sets_.size();
  const bool wide = simd::best() == simd::Target::avx512 && n > 192 && planes <= 1024;   // codes should stay in the second cache
  const size_t rows = wide ? 256 : 64;
  void* codes = std::aligned_alloc(64, std::max<size_t>(planes, 1) * rows);
  if (!codes) throw std::bad_alloc();
  std::memset(codes, 0, planes * rows);                  // rows that are not there take some way too
  Block block{{static_cast<uint8_t*>(codes), &std::free}, std::vector<int32_t>(ranks.columns().size() * 64), std::vector<T>(size_t(leaves_.targets) * rows)};
  while (wide && n > 192) run_blocks<256>(ranks, x, n, width, scores, block);
  while (n > 0) run_blocks<64>(ranks, x, n, width, scores, block);
}

template class ReachMasks<float>;
template class ReachMasks<double>;

}  // namespace onward
