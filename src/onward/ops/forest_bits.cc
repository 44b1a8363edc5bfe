#include "onward/ops/forest_bits.h"

#include <algorithm>
#include <bit>

namespace onward {
namespace {

constexpr size_t most_planes = 256, most_leaves = 64, most_lanes = 64;

}  // namespace

template <class T> bool LeafBits<T>::suits(const PlainForest<T>& f, const Ranks<T>& ranks) {
  BytePlanes planes;
  planes.build(ranks);
  if (f.nodes() == 0 || !leaf_bit_kernels(planes.all().size() + ranks.sets().size())) return false;
  SlotMaker<T> maker(f);
  return std::all_of(f.roots.begin(), f.roots.end(), [&](int32_t root) { return maker.of(root).leaves.size() <= most_leaves; });
}

// Lays out one group after the other.
template <class T> class LeafBits<T>::Builder {
 public:
  using Tests = std::vector<typename Ranks<T>::Test>;
  Builder(const PlainForest<T>& forest, const Tests& tests, LeafBits& to) : f_(forest), tests_(tests), to_(to), lanes(to.kernels_->lanes), maker_(forest) {}

  void group(std::span<const int32_t> roots) {
    Group group{form_of(roots), 0, int32_t(roots.size()), to_.nodes_.size(), to_.stay_.size()};
    for (const int32_t root : roots) {
      const TreeSlots& tree = maker_.of(root);
      group.nodes = std::max(group.nodes, group.form == Form::full ? (1 << tree.depth) - 1 : group.form == Form::levels ? tree.depth : int32_t(tree.inner.size()));
    }
    const auto nodes = size_t(group.nodes);
    const size_t word = group.form == Form::leaves32 ? 4 : group.form == Form::leaves64 ? 8 : 0;
    to_.nodes_.resize(group.first_node + nodes * 2 * lanes);
    for (size_t j = 0; j < nodes; ++j) std::fill_n(to_.nodes_.begin() + int64_t(group.first_node + (2 * j + 1) * lanes), lanes, 255);   // no code is above it
    to_.stay_.resize(group.first_stay + nodes * lanes * word, 255);
    for (size_t t = 0; t < roots.size(); ++t) {
      const TreeSlots& tree = maker_.of(roots[t]);
      to_.first_leaf_.push_back(next_leaf_);
      to_.target_.push_back(to_.leaves_.target_of(f_, tree));
      if (word) by_leaves(tree, group, t, word);
      else by_places(tree, group, t);
    }
    to_.cost_ += double(group.nodes) * (to_.kernels_->node_cost + to_.kernels_->word_cost * double(word / 4)) + to_.kernels_->tree_cost * double(roots.size());
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

  void put(const Group& group, size_t j, size_t lane, int32_t node) {
    const auto place = to_.planes_.place(tests_[size_t(node)], f_.mode[size_t(node)] == Branch::member);
    uint8_t* own = to_.nodes_.data() + group.first_node + 2 * j * lanes + lane;
    own[0] = uint8_t(place.plane), own[lanes] = place.code;
  }
  void put_stay(const Group& group, size_t j, size_t lane, size_t word, uint64_t stay) {
    uint8_t* own = to_.stay_.data() + group.first_stay + j * lanes * word;
    for (size_t b = 0; b < word; ++b) own[to_.kernels_->by_bytes ? b * lanes + lane : lane * word + b] = uint8_t(stay >> (8 * b));
  }
  void leaf(int32_t from) { to_.leaves_.add(f_, ~from), ++next_leaf_; }

  void by_leaves(const TreeSlots& tree, const Group& group, size_t lane, size_t word) {
    std::vector<int32_t> below(tree.from.size(), 1), before(tree.from.size(), 0);   // leaves below a slot, and before it
    for (size_t j = tree.inner.size(); j-- > 0;) below[size_t(tree.inner[j])] = below[2 * j + 1] + below[2 * j + 2];
    for (size_t j = 0; j < tree.inner.size(); ++j) {
      const auto slot = size_t(tree.inner[j]);
      before[2 * j + 1] = before[slot], before[2 * j + 2] = before[slot] + below[2 * j + 1];
      put(group, j, lane, tree.from[slot]);
      put_stay(group, j, lane, word, ~((~uint64_t{0} >> (64 - below[2 * j + 1])) << before[slot]));
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
        if (child >= 0 && (group.form == Form::full || next.empty())) put(group, place, lane, tree.from[size_t(slot)]);
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
  const size_t lanes;
  SlotMaker<T> maker_;
  int32_t next_leaf_ = 0;
};

template <class T>
LeafBits<T>::LeafBits(const PlainForest<T>& f, const Ranks<T>& ranks, const std::vector<typename Ranks<T>::Test>& tests) : sets_(ranks.sets().begin(), ranks.sets().end()), leaves_(f) {
  planes_.build(ranks);
  kernels_ = leaf_bit_kernels(planes_.all().size() + sets_.size());
  Builder builder(f, tests, *this);
  for (size_t begin = 0; begin < f.roots.size(); begin += kernels_->lanes)
    builder.group(std::span(f.roots).subspan(begin, std::min(kernels_->lanes, f.roots.size() - begin)));
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
  size_t tree = 0;
  for (const Group& g : groups_) {
    uint8_t leaf[most_lanes];
    const LeafBitKernels& k = *kernels_;
    const auto kernel = g.form == Form::levels ? k.levels : g.form == Form::full ? k.full : g.form == Form::leaves32 ? k.leaves32 : k.leaves64;
    kernel(codes, nodes_.data() + g.first_node, stay_.data() + g.first_stay, g.form == Form::full ? std::bit_width(uint32_t(g.nodes)) : g.nodes, leaf);
    leaves_.add_row(scores, size_t(g.trees), [&](size_t t) { return size_t(first_leaf_[tree + t] + leaf[t]); }, [&](size_t t) { return target_[tree + t]; });
    tree += size_t(g.trees);
  }
}

template class LeafBits<float>;
template class LeafBits<double>;

}  // namespace onward
