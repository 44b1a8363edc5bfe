// What the leaves of a packed forest add, in the form that suits all of them.
#pragma once
#include <algorithm>

#include "onward/base/large_pages.h"
#include "onward/ops/plain_forest.h"

namespace onward {

template <class T> struct LeafTable {
  enum class Form : uint8_t {
    single,                              // each tree adds one number to one target
    dense,                               // a number for every target
    lists,                               // pairs of target and number
  };
  Form form = Form::single;
  int64_t targets = 1;
  std::vector<T, LargePages<T>> values;  // single: of each leaf; dense: [leaves][targets]; lists: of each pair
  std::vector<int32_t> begin;            // lists: pairs [begin[i], begin[i + 1]) are leaf i's
  std::vector<int32_t> target;           // lists: of each pair

  LeafTable() = default;
  explicit LeafTable(const PlainForest<T>&, bool as_lists = false);
  template <class U> explicit LeafTable(const LeafTable<U>& from)
      : form(Form(from.form)), targets(from.targets), values(from.values.begin(), from.values.end()), begin(from.begin), target(from.target) {}
  // Takes in one leaf; its number is how many came before it.
  void add(const PlainForest<T>&, int32_t leaf);
  // To which target a tree adds, where each tree adds to one.
  int32_t target_of(const PlainForest<T>&, const TreeSlots&) const;

  void add_to(T* scores, int32_t leaf, int32_t tree_target) const {
    if (form == Form::single) {
      scores[tree_target] += values[size_t(leaf)];
    } else if (form == Form::dense) {
      const T* own = values.data() + leaf * targets;
      for (int64_t k = 0; k < targets; ++k) scores[k] += own[k];
    } else {
      for (int32_t i = begin[size_t(leaf)]; i < begin[size_t(leaf) + 1]; ++i) scores[target[size_t(i)]] += values[size_t(i)];
    }
  }

  // What one row's leaves add, in the trees' order. Of tree t: leaf_of(t) is the number of the leaf, target_of(t) as add_to has it.
  void add_row(T* scores, size_t trees, auto&& leaf_of, auto&& target_of) const {
    const auto sums = [&]<int width>() {                 // in registers
      T sum[width];
      std::copy_n(scores, width, sum);
      for (size_t t = 0; t < trees; ++t) {
        const T* own = values.data() + leaf_of(t) * width;
        for (int k = 0; k < width; ++k) sum[k] += own[k];
      }
      std::copy_n(sum, width, scores);
    };
    if (form != Form::lists && targets == 1) sums.template operator()<1>();
    else if (form == Form::dense && targets == 2) sums.template operator()<2>();
    else if (form == Form::dense && targets == 3) sums.template operator()<3>();
    else for (size_t t = 0; t < trees; ++t) add_to(scores, int32_t(leaf_of(t)), target_of(t));
  }
};

extern template struct LeafTable<float>;
extern template struct LeafTable<double>;

}  // namespace onward
