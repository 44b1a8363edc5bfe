// KBinsDiscretizer: the number of the bin that each item falls into, as it is or one-hot.
#include "onward/estimators/fields.h"
#include "onward/estimators/sorted_search.h"

namespace onward {

struct KBinsDiscretizer {
  enum class Encode { onehot, dense, ordinal } encode = Encode::onehot;
  std::vector<Numbers> edges;  // of each column, the outer two included
  bool widened = false;        // until 1.0 an item a little below an edge lay in the bin above

  void learned(Fields& f) {
    f.choice("encode", encode, {{"onehot", Encode::onehot}, {"onehot-dense", Encode::dense}, {"ordinal", Encode::ordinal}});
    f("bin_edges_", edges, {"features"});
    for (size_t i = 0; i < edges.size(); ++i) {
      if (edges[i].shape().size() != 1 || edges[i].size() < 2) return f.bad("bin_edges_", text("of column ", i, " has no two edges"));
      if (!std::is_sorted(edges[i].begin(), edges[i].end())) return f.bad("bin_edges_", text("of column ", i, " is not sorted"));
    }
    widened = f.version() > 0 && f.version() < 101;
  }
  Outputs operator()(const Frame& x) const {
    ONWARD_CHECK(x.size() == int64_t(edges.size()));
    const Expr given = x.numbers();
    const Expr bin = count_at_most(widened ? given + (1e-8 + 1e-5 * abs(given)) : given, inner_edges());
    if (encode == Encode::ordinal) return transformed(x.all_replaced(cast(bin, DataType::f64), Frame::Keeps::nothing));
    std::vector<Expr> parts;
    std::vector<std::string> names;
    for (int64_t i = 0; i < x.size(); ++i) {
      const int64_t bins = edges[size_t(i)].size() - 1;
      parts.push_back(cast(equal(columns(bin, {i}), Array<int64_t>::of({bins}, [](int64_t k) { return k; })), DataType::f64));
      for (int64_t k = 0; k < bins; ++k) names.push_back(text(x.name(i), "_", k, ".0"));
    }
    Frame out(concat(parts), names);
    out.sparse = encode == Encode::onehot;
    return transformed(out);
  }

 private:
  Numbers inner_edges() const {
    std::vector<Numbers> inner;
    for (const Numbers& all : edges) inner.push_back(Numbers::of({all.size() - 2}, [&](int64_t k) { return all[k + 1]; }));
    return side_by_side(inner);
  }
};

Definitions discretizer_estimators() {
  return {reads<KBinsDiscretizer>("sklearn.preprocessing.KBinsDiscretizer",
                                  {.cases = {"()", "(4, encode='ordinal')", "(7, encode='onehot-dense', strategy='uniform')",
                                             "(3, encode='ordinal', strategy='kmeans')"},
                                   .data = "clean ratings prices"})};
}

}  // namespace onward
