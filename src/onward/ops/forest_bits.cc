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

// The leaves left in each of 64 trees. Word: as many bits as a tree may have leaves.
template <class Word, bool many> [[ONWARD_VBMI]] void leaves_left(const uint8_t* codes, const uint8_t* bytes, const Word* bits, int nodes, Word* out) {
  constexpr int parts = int(sizeof(Word));               // registers for 64 words
  Codes row;
  for (int i = 0; i < (many ? 4 : 2); ++i) row.part[i] = _mm512_load_si512(codes + 64 * i);
  __m512i left[parts];
  for (int i = 0; i < parts; ++i) left[i] = _mm512_set1_epi32(-1);
  for (int j = 0; j < nodes; ++j, bytes += 2 * lanes, bits += lanes) {
    const __m512i code = looked_up<many>(row, _mm512_loadu_si512(bytes));
    const uint64_t failed = _mm512_cmpgt_epu8_mask(code, _mm512_loadu_si512(bytes + lanes));
#pragma GCC unroll 8
    for (int i = 0; i < parts; ++i) {
      const __m512i stay = _mm512_loadu_si512(bits + size_t(i) * (64 / sizeof(Word)));
      if constexpr (sizeof(Word) == 4) left[i] = _mm512_mask_and_epi32(left[i], __mmask16(failed >> (16 * i)), left[i], stay);
      else left[i] = _mm512_mask_and_epi64(left[i], __mmask8(failed >> (8 * i)), left[i], stay);
    }
  }
  for (int i = 0; i < parts; ++i) _mm512_store_si512(reinterpret_cast<uint8_t*>(out) + 64 * i, left[i]);
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

template <class T>
LeafBits<T>::LeafBits(const PlainForest<T>& f, const Ranks<T>& ranks, const std::vector<typename Ranks<T>::Test>& tests) : sets_(ranks.sets().begin(), ranks.sets().end()), leaves_(f) {
  planes_.build(ranks);
  for (size_t begin = 0; begin < f.roots.size(); begin += lanes)
    add_group(f, tests, std::span(f.roots).subspan(begin, std::min(lanes, f.roots.size() - begin)));
  cost_ += 0.5 * double(planes_.all().size()) + 2.0 * double(sets_.size());
}

template <class T> void LeafBits<T>::add_group(const PlainForest<T>& f, const std::vector<typename Ranks<T>::Test>& tests, std::span<const int32_t> roots) {
  SlotMaker<T> maker(f);
  Group group{0, int32_t(roots.size()), false, bytes_.size(), bits_.size()};
  for (const int32_t root : roots) {
    const TreeSlots& tree = maker.of(root);
    group.nodes = std::max(group.nodes, int32_t(tree.inner.size()));
    group.wide |= tree.leaves.size() > 32;
  }
  const auto nodes = size_t(group.nodes);
  bytes_.resize(group.bytes + nodes * 2 * lanes);
  for (size_t j = 0; j < nodes; ++j) std::fill_n(bytes_.begin() + int64_t(group.bytes + (2 * j + 1) * lanes), lanes, 255);   // no code is above it
  bits_.resize(group.bits + nodes * lanes * (group.wide ? 2 : 1), ~0u);
  std::vector<int32_t> below, before;
  for (size_t t = 0; t < roots.size(); ++t) {
    const TreeSlots& tree = maker.of(roots[t]);
    below.assign(tree.from.size(), 1), before.assign(tree.from.size(), 0);   // leaves below a slot, and before it
    for (size_t j = tree.inner.size(); j-- > 0;) below[size_t(tree.inner[j])] = below[2 * j + 1] + below[2 * j + 2];
    for (size_t j = 0; j < tree.inner.size(); ++j) {
      const auto slot = size_t(tree.inner[j]);
      before[2 * j + 1] = before[slot], before[2 * j + 2] = before[slot] + below[2 * j + 1];
      const auto from = size_t(tree.from[slot]);
      const bool set = f.mode[from] == Branch::member;
      const auto place = set ? BytePlanes::Place{int32_t(planes_.all().size()) + tests[from].rank, 0} : planes_.place(tests[from].column, tests[from].rank);
      uint8_t* bytes = bytes_.data() + group.bytes + 2 * j * lanes;
      bytes[t] = uint8_t(place.plane), bytes[lanes + t] = place.code;
      const int32_t width = below[2 * j + 1];
      const uint64_t gone = (~uint64_t{0} >> (64 - width)) << before[slot], stay = ~gone;
      std::memcpy(bits_.data() + group.bits + (j * lanes + t) * (group.wide ? 2 : 1), &stay, group.wide ? 8 : 4);
    }
    first_leaf_.push_back(tree.leaves.empty() ? 0 : leaves_.add(f, ~tree.from[size_t(tree.leaves[0])]));
    for (size_t l = 1; l < tree.leaves.size(); ++l) leaves_.add(f, ~tree.from[size_t(tree.leaves[l])]);
    target_.push_back(leaves_.target_of(f, tree));
  }
  cost_ += double(group.nodes) * (group.wide ? 4.0 : 2.5) + 1.5 * double(roots.size());
  groups_.push_back(group);
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
  const bool many = planes_.all().size() + sets_.size() > 128;
  size_t tree = 0;
  for (const Group& g : groups_) {
    alignas(64) uint64_t left[lanes];
    const uint8_t* bytes = bytes_.data() + g.bytes;
    const uint32_t* bits = bits_.data() + g.bits;
    auto* narrow = reinterpret_cast<uint32_t*>(left);
    if (g.wide) (many ? leaves_left<uint64_t, true> : leaves_left<uint64_t, false>)(codes, bytes, reinterpret_cast<const uint64_t*>(bits), g.nodes, left);
    else (many ? leaves_left<uint32_t, true> : leaves_left<uint32_t, false>)(codes, bytes, bits, g.nodes, narrow);
    const auto leaf = [&](size_t t) { return first_leaf_[tree + t] + (g.wide ? std::countr_zero(left[t]) : std::countr_zero(narrow[t])); };
    if (leaves_.form == LeafTable<T>::Form::single && leaves_.targets == 1) {
      T sum = scores[0];
      for (size_t t = 0; t < size_t(g.trees); ++t) sum += leaves_.values[size_t(leaf(t))];
      scores[0] = sum;
    } else {
      for (size_t t = 0; t < size_t(g.trees); ++t) leaves_.add_to(scores, leaf(t), target_[tree + t]);
    }
    tree += size_t(g.trees);
  }
}

template class LeafBits<float>;
template class LeafBits<double>;

}  // namespace onward
