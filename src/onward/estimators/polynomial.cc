// PolynomialFeatures: every product of columns up to a degree, each made from a product of one degree less, as the library does.
#include "onward/estimators/fields.h"

namespace onward {
namespace {

constexpr int64_t most_columns = 1'000'000;

// The products of one degree: for each feature where those begin that it does not come behind.
struct Terms {
  std::vector<std::vector<int64_t>> powers;  // of each product: how often each feature is in it
  std::vector<int64_t> starts;               // one for each feature, and the end
};

}  // namespace

struct PolynomialFeatures {
  int64_t least = 0, most = 2;
  bool interactions_only = false, bias = true;

  void learned(Fields& f) {
    f("interaction_only", interactions_only);
    f("include_bias", bias);
    const auto degree = f.get("degree");
    if (degree && degree->is(plain::Kind::integer)) {
      most = degree->integer;
    } else {  // (least, most), since 1.0
      std::vector<int64_t> both;
      f("degree", both, {"2"});
      if (both.size() == 2) least = both[0], most = both[1];
    }
    if (least < 0 || most < least || most > 1000) f.bad("degree", text("is ", least, " to ", most));
  }
  Outputs operator()(const Frame& x) const {
    const Expr all = x.numbers();
    std::vector<Expr> parts;
    std::vector<std::string> names;
    if (bias) {
      parts.push_back(columns(all, {0}) * 0.0 + 1.0);
      names.push_back("1");
    }
    Terms terms;
    Expr block = all;
    for (int64_t f = 0; f <= x.size(); ++f) terms.starts.push_back(f);
    for (int64_t f = 0; f < x.size(); ++f) terms.powers.emplace_back(size_t(x.size()), 0)[size_t(f)] = 1;
    for (int64_t degree = 1; degree <= most && !terms.powers.empty(); ++degree) {
      if (degree > 1 && !next(all, block, terms)) break;
      if (degree < least) continue;
      parts.push_back(block);
      for (const auto& powers : terms.powers) names.push_back(name_of_product(x, powers));
      if (int64_t(names.size()) > most_columns)
        fail(Code::limit_size, "degree ", most, " of ", x.size(), " columns makes more than ", most_columns, " columns");
    }
    Frame out(concat(parts), names);
    out.sparse = x.sparse;
    return transformed(out);
  }

 private:
  bool next(const Expr& all, Expr& block, Terms& terms) const {
    const int64_t features = all.columns(), end = terms.starts.back();
    Terms higher;
    std::vector<Expr> parts;
    for (int64_t f = 0; f < features; ++f) {
      higher.starts.push_back(int64_t(higher.powers.size()));
      const int64_t own = terms.starts[size_t(f)], start = interactions_only ? terms.starts[size_t(f) + 1] : own;
      if (end <= start) {
        while (int64_t(higher.starts.size()) < features) higher.starts.push_back(higher.starts.back());
        break;
      }
      std::vector<int64_t> range;
      for (int64_t at = start; at < end; ++at) {
        range.push_back(at);
        higher.powers.push_back(terms.powers[size_t(at)]);
        ++higher.powers.back()[size_t(f)];
      }
      if (int64_t(higher.powers.size()) > most_columns) fail(Code::limit_size, "more than ", most_columns, " products of columns");
      parts.push_back(columns(block, range) * columns(all, {f}));
    }
    higher.starts.push_back(int64_t(higher.powers.size()));
    terms = std::move(higher);
    if (parts.empty()) return false;
    block = concat(parts);
    return true;
  }
  static std::string name_of_product(const Frame& x, const std::vector<int64_t>& powers) {
    std::string name;
    for (size_t f = 0; f < powers.size(); ++f) {
      if (!powers[f]) continue;
      name += (name.empty() ? "" : " ") + x.name(int64_t(f));
      if (powers[f] > 1) name += text("^", powers[f]);
    }
    return name;
  }
};

Definitions polynomial_estimators() {
  return {reads<PolynomialFeatures>("sklearn.preprocessing.PolynomialFeatures",
                                    {.cases = {"()", "(3)", "(interaction_only=True)", "(4, interaction_only=True, include_bias=False)",
                                               "(degree=(2, 3))", "(degree=(2, 3), include_bias=False)", "(degree=(0, 1))"}})};
}

}  // namespace onward
