#include "onward/ops/forest_bits.h"

#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"   // GCC 12 of its own intrinsics
#include <immintrin.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "onward/simd/targets.h"

namespace onward {
namespace {

constexpr size_t lanes = 64, most_planes = 256;
constexpr int most_leaves = 64;

#define ONWARD_VBMI gnu::target("avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi,avx2,bmi")

// What a node of 64 trees looks up among up to 256 codes, in four registers.
struct Codes { __m512i part[4]; };

template <bool many> [[ONWARD_VBMI, gnu::always_inline]] inline __m512i looked_up(const Codes& c, __m512i plane) {
  const __m512i low = _mm512_permutex2var_epi8(c.part[0], plane, c.part[1]);
  if constexpr (!many) return low;
  return _mm512_mask_blend_epi8(_mm512_movepi8_mask(plane), low, _mm512_permutex2var_epi8(c.part[2], plane, c.part[3]));
}

[[ONWARD_VBMI, gnu::always_inline]] inline Codes loaded(const uint8_t* codes, bool many) {
  Codes row;
  for (int i = 0; i < (many ? 4 : 2); ++i) row.part[i] = _mm512_load_si512(codes + 64 * i);
  return row;
}
template <bool many> [[ONWARD_VBMI, gnu::always_inline]] inline uint64_t failed(const Codes& row, const uint8_t* bytes) {
  return _mm512_cmpgt_epu8_mask(looked_up<many>(row, _mm512_loadu_si512(bytes)), _mm512_loadu_si512(bytes + lanes));
}

// The leaves left in each of 64 trees. Word: as many bits as a tree may have leaves.
template <class Word, bool many> [[ONWARD_VBMI]] void leaves_left(const uint8_t* codes, const uint8_t* bytes, const Word* bits, int nodes, uint8_t* out) {
  constexpr int parts = int(sizeof(Word));               // registers for 64 words
  const Codes row = loaded(codes, many);
  __m512i left[parts];
  for (int i = 0; i < parts; ++i) left[i] = _mm512_set1_epi32(-1);
  for (int j = 0; j < nodes; ++j, bytes += 2 * lanes, bits += lanes) {
    const uint64_t fails = failed<many>(row, bytes);
#pragma GCC unroll 8
    for (int i = 0; i < parts; ++i) {
      const __m512i stay = _mm512_loadu_si512(bits + size_t(i) * (64 / sizeof(Word)));
      if constexpr (sizeof(Word) == 4) left[i] = _mm512_mask_and_epi32(left[i], __mmask16(fails >> (16 * i)), left[i], stay);
      else left[i] = _mm512_mask_and_epi64(left[i], __mmask8(fails >> (8 * i)), left[i], stay);
    }
  }
  Word words[lanes];
  for (int i = 0; i < parts; ++i) _mm512_storeu_si512(reinterpret_cast<uint8_t*>(words) + 64 * i, left[i]);
  for (size_t t = 0; t < lanes; ++t) out[t] = uint8_t(std::countr_zero(words[t]));
}

// Full trees: node j's children are 2j + 1 and 2j + 2. The number of the leaf, from the first branches on.
template <bool many> [[ONWARD_VBMI]] void full_trees(const uint8_t* codes, const uint8_t* bytes, int depth, uint8_t* out) {
  const Codes row = loaded(codes, many);
  uint64_t reach[2 * most_leaves - 1];
  reach[0] = ~uint64_t{0};
  __m512i passed = _mm512_setzero_si512();
  for (int level = 0, j = 0; level < depth; ++level) {
    const __m512i leaves = _mm512_set1_epi8(char(1 << (depth - 1 - level)));
    for (int end = 2 * j + 1; j < end; ++j, bytes += 2 * lanes) {
      const uint64_t fails = failed<many>(row, bytes), second = reach[j] & fails;
      reach[2 * j + 1] = reach[j] & ~fails, reach[2 * j + 2] = second;
      passed = _mm512_mask_add_epi8(passed, second, passed, leaves);
    }
  }
  _mm512_storeu_si512(out, passed);
}

template <bool many> [[ONWARD_VBMI]] void level_trees(const uint8_t* codes, const uint8_t* bytes, int depth, uint8_t* out) {
  const Codes row = loaded(codes, many);
  __m512i passed = _mm512_setzero_si512();
  for (int level = 0; level < depth; ++level, bytes += 2 * lanes)
    passed = _mm512_mask_add_epi8(passed, failed<many>(row, bytes), passed, _mm512_set1_epi8(char(1 << (depth - 1 - level))));
  _mm512_storeu_si512(out, passed);
}

}  // namespace

template <class T> bool LeafBits<T>::suits(const PlainForest<T>& f, const Ranks<T>& ranks) {
  if (simd::best() != simd::Target::avx512 || !__builtin_cpu_supports("avx512vbmi")) return false;
  BytePlanes planes;
  planes.build(ranks);
  if (f.nodes() == 0 || planes.all().size() + ranks.sets().size() > most_planes) return false;
  SlotMaker<T> maker(f);
  return std::all_of(f.roots.begin(), f.roots.end(), [&](int32_t root) { return maker.of(root).leaves.size() <= size_t(most_leaves); });
}

// Lays out one group after the other.
template <class T> class LeafBits<T>::Builder {
 public:
  using Tests = std::vector<typename Ranks<T>::Test>;
  Builder(const PlainForest<T>& forest, const Tests& tests, LeafBits& to) : f_(forest), tests_(tests), to_(to), maker_(forest) {}

  void group(std::span<const int32_t> roots) {
    Group group{form_of(roots), 0, int32_t(roots.size()), to_.bytes_.size(), to_.bits_.size()};
    for (const int32_t root : roots) {
      const TreeSlots& tree = maker_.of(root);
      group.nodes = std::max(group.nodes, group.form == Form::full ? (1 << tree.depth) - 1 : group.form == Form::levels ? tree.depth : int32_t(tree.inner.size()));
    }
    const auto nodes = size_t(group.nodes);
    const size_t words = group.form == Form::leaves32 ? 1 : group.form == Form::leaves64 ? 2 : 0;
    to_.bytes_.resize(group.bytes + nodes * 2 * lanes);
    for (size_t j = 0; j < nodes; ++j) std::fill_n(to_.bytes_.begin() + int64_t(group.bytes + (2 * j + 1) * lanes), lanes, 255);   // no code is above it
    to_.bits_.resize(group.bits + nodes * lanes * words, ~0u);
    for (size_t t = 0; t < roots.size(); ++t) {
      const TreeSlots& tree = maker_.of(roots[t]);
      to_.first_leaf_.push_back(next_leaf_);
      to_.target_.push_back(to_.leaves_.target_of(f_, tree));
      if (words) by_leaves(tree, group, t, words);
      else by_places(tree, group, t);
    }
    to_.cost_ += double(group.nodes) * (2.0 + 1.2 * double(words)) + 1.2 * double(roots.size());
    to_.groups_.push_back(group);
  }

 private:
  Form form_of(std::span<const int32_t> roots) {
    size_t leaves = 0;
    int depth = 0;
    bool symmetric = true;
    for (const int32_t root : roots) {
      const TreeSlots& tree = maker_.of(root);
      symmetric &= (depth == 0 || depth == tree.depth) && is_symmetric<T>(tree, tests_, f_);
      leaves = std::max(leaves, tree.leaves.size()), depth = std::max(depth, tree.depth);
    }
    if (symmetric && depth > 0) return Form::levels;
    if (depth <= 6 && leaves > 16) return Form::full;
    return leaves <= 32 ? Form::leaves32 : Form::leaves64;
  }

  void put(uint8_t* bytes, size_t lane, int32_t node) const {
    const auto place = to_.planes_.place(tests_[size_t(node)], f_.mode[size_t(node)] == Branch::member);
    bytes[lane] = uint8_t(place.plane), bytes[lanes + lane] = place.code;
  }
  void leaf(int32_t from) { to_.leaves_.add(f_, ~from), ++next_leaf_; }

  void by_leaves(const TreeSlots& tree, const Group& group, size_t lane, size_t words) {
    std::vector<int32_t> below(tree.from.size(), 1), before(tree.from.size(), 0);   // leaves below a slot, and before it
    for (size_t j = tree.inner.size(); j-- > 0;) below[size_t(tree.inner[j])] = below[2 * j + 1] + below[2 * j + 2];
    for (size_t j = 0; j < tree.inner.size(); ++j) {
      const auto slot = size_t(tree.inner[j]);
      before[2 * j + 1] = before[slot], before[2 * j + 2] = before[slot] + below[2 * j + 1];
      put(to_.bytes_.data() + group.bytes + 2 * j * lanes, lane, tree.from[slot]);
      const uint64_t gone = (~uint64_t{0} >> (64 - below[2 * j + 1])) << before[slot], stay = ~gone;
      std::memcpy(to_.bits_.data() + group.bits + (j * lanes + lane) * words, &stay, 4 * words);
    }
    for (const int32_t slot : tree.leaves) leaf(tree.from[size_t(slot)]);
  }

  // A leaf that stands higher than the deepest takes the places below it: no test there fails, so that the first of them is reached.
  void by_places(const TreeSlots& tree, const Group& group, size_t lane) {
    std::vector<int32_t> slots{0};                         // of one level after the other
    const int depth = group.form == Form::levels ? group.nodes : std::bit_width(uint32_t(group.nodes));
    size_t place = 0;
    for (int level = 0; level < depth; ++level) {
      std::vector<int32_t> next;
      for (const int32_t slot : slots) {
        const int32_t child = tree.child[size_t(slot)];
        if (child >= 0 && (group.form == Form::full || next.empty())) put(to_.bytes_.data() + group.bytes + 2 * place * lanes, lane, tree.from[size_t(slot)]);
        if (group.form == Form::full) ++place;
        next.push_back(child < 0 ? slot : child), next.push_back(child < 0 ? slot : child + 1);
      }
      if (group.form == Form::levels) ++place;
      slots = std::move(next);
    }
    for (const int32_t slot : slots) leaf(tree.from[size_t(slot)]);
  }

  const PlainForest<T>& f_;
  const Tests& tests_;
  LeafBits& to_;
  SlotMaker<T> maker_;
  int32_t next_leaf_ = 0;
};

template <class T>
LeafBits<T>::LeafBits(const PlainForest<T>& f, const Ranks<T>& ranks, const std::vector<typename Ranks<T>::Test>& tests) : sets_(ranks.sets().begin(), ranks.sets().end()), leaves_(f) {
  planes_.build(ranks);
  Builder builder(f, tests, *this);
  for (size_t begin = 0; begin < f.roots.size(); begin += lanes)
    builder.group(std::span(f.roots).subspan(begin, std::min(lanes, f.roots.size() - begin)));
  cost_ += 0.5 * double(planes_.all().size()) + 2.0 * double(sets_.size());
}

template <class T> void LeafBits<T>::encode(const int32_t* ranks, uint8_t* codes) const {
  for (const auto& plane : planes_.all()) *codes++ = BytePlanes::code(ranks[plane.column], plane.base);
  for (const auto& set : sets_) {
    const int32_t x = ranks[set.column];
    *codes++ = uint8_t(~(set.bits[size_t(x) / 64] >> (x % 64)) & 1);
  }
}

template <class T> void LeafBits<T>::run(const int32_t* ranks, T* scores) const {
  alignas(64) uint8_t codes[most_planes];
  encode(ranks, codes);
  planes_.all().size() + sets_.size() > 128 ? run_groups<true>(codes, scores) : run_groups<false>(codes, scores);
}

template <class T> template <bool many> void LeafBits<T>::run_groups(const uint8_t* codes, T* scores) const {
  const bool one_sum = leaves_.form == LeafTable<T>::Form::single && leaves_.targets == 1;
  size_t tree = 0;
  for (const Group& g : groups_) {
    uint8_t leaf[lanes];
    const uint8_t* bytes = bytes_.data() + g.bytes;
    const uint32_t* bits = bits_.data() + g.bits;
    switch (g.form) {
      case Form::levels: level_trees<many>(codes, bytes, g.nodes, leaf); break;
      case Form::full: full_trees<many>(codes, bytes, std::bit_width(uint32_t(g.nodes)), leaf); break;
      case Form::leaves32: leaves_left<uint32_t, many>(codes, bytes, bits, g.nodes, leaf); break;
      case Form::leaves64: leaves_left<uint64_t, many>(codes, bytes, reinterpret_cast<const uint64_t*>(bits), g.nodes, leaf); break;
    }
    const int32_t* first = first_leaf_.data() + tree;
    const T* values = leaves_.values.data();
    if (one_sum) {
      T sum = scores[0];
      for (size_t t = 0; t < size_t(g.trees); ++t) sum += values[first[t] + leaf[t]];
      scores[0] = sum;
    } else {
      for (size_t t = 0; t < size_t(g.trees); ++t) leaves_.add_to(scores, first[t] + leaf[t], target_[tree + t]);
    }
    tree += size_t(g.trees);
  }
}

template class LeafBits<float>;
template class LeafBits<double>;

}  // namespace onward
