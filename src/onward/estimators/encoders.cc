// Encoders of categories. Each column's item becomes a row number (the last row for the unknown), and the row number picks from a
// table; dropping, grouping of rare categories and the treatment of the unknown are all in the table.
#include "onward/estimators/categories.h"

namespace onward {
namespace {

using Grouping = std::optional<Array<int64_t>>;  // category -> output, when rare categories share one

// Where missing categories stand apart, the last one has no place in the groups.
void check_groups(Fields& f, const std::vector<CategoryList>& categories, const std::optional<std::vector<Grouping>>& groups,
                  bool missing_apart) {
  if (!groups) return;
  for (size_t i = 0; i < groups->size() && i < categories.size(); ++i) {
    const Grouping& g = (*groups)[i];
    if (!g) continue;
    const int64_t n = categories[i].size();
    const bool short_by_missing = missing_apart && categories[i].nan == n - 1 && g->size() == n - 1;
    const bool fits =
        (g->size() == n || short_by_missing) && std::all_of(g->begin(), g->end(), [&](int64_t to) { return to >= 0 && to < n; });
    if (!fits) f.bad("_default_to_infrequent_mappings", text("does not map the ", n, " categories of column ", i));
  }
}

}  // namespace

struct OneHotEncoder {
  static constexpr bool takes_missing = true;
  std::vector<CategoryList> categories;
  std::optional<std::vector<std::optional<int64_t>>> dropped;
  std::optional<std::vector<Grouping>> groups;  // since 1.1
  Unknown unknown = Unknown::refuse;
  bool sparse = true;

  void learned(Fields& f) {
    f("categories_", categories, {"features"});
    f.since("sparse_output", sparse);
    f(f.get("_drop_idx_after_grouping") ? "_drop_idx_after_grouping" : "drop_idx_", dropped, {"features"});
    f("_default_to_infrequent_mappings", groups, {"features"});
    f.choice(
        "handle_unknown", unknown,
        {{"error", Unknown::refuse}, {"ignore", Unknown::ignore}, {"infrequent_if_exist", Unknown::category}, {"warn", Unknown::category}});
    check_groups(f, categories, groups, false);
  }

  Outputs operator()(const Frame& x) const {
    std::vector<Expr> parts;
    std::vector<std::string> names;
    for (int64_t i = 0; i < x.size(); ++i) {
      const Column column = this->column(size_t(i));
      tell_unknown(x, i, *column.categories, unknown);
      for (int64_t to = 0; to < column.kept; ++to) names.push_back(x.name(i) + "_" + column.name(to));
      parts.push_back(pick(column.table(unknown == Unknown::category), category_of(x, i, *column.categories)));
    }
    Frame out(concat(parts), names);
    out.sparse = sparse;
    return transformed(out);
  }

 private:
  struct Column {
    const CategoryList* categories;
    Grouping group;
    std::optional<int64_t> drop;
    int64_t width = 0, kept = 0;  // outputs before and after dropping

    int64_t output(int64_t k) const { return group ? (*group)[k] : k; }
    int64_t full(int64_t to) const { return to + (drop && to >= *drop ? 1 : 0); }
    // A row per category and one for the unknown; a column per output.
    Numbers table(bool unknown_is_rare) const {
      const int64_t n = categories->size();
      return Numbers::of({n + 1, kept}, [&](int64_t at) {
        const int64_t k = at / kept, to = full(at % kept);
        if (k == n) return group && unknown_is_rare && to == width - 1 ? 1.0 : 0.0;
        return output(k) == to ? 1.0 : 0.0;
      });
    }
    std::string name(int64_t kept_output) const {
      const int64_t to = full(kept_output);
      if (group && to == width - 1) return "infrequent_sklearn";
      for (int64_t k = 0; k < categories->size(); ++k)
        if (output(k) == to) return category_name(*categories, k);
      return "?";
    }
  };
  Column column(size_t i) const {
    ONWARD_CHECK(i < categories.size());
    Column c{&categories[i], groups && i < groups->size() ? (*groups)[i] : Grouping(),
             dropped && i < dropped->size() ? (*dropped)[i] : std::nullopt};
    for (int64_t k = 0; k < categories[i].size(); ++k) c.width = std::max(c.width, c.output(k) + 1);
    c.kept = c.width - (c.drop ? 1 : 0);
    return c;
  }
};

struct OrdinalEncoder {
  static constexpr bool takes_missing = true;
  std::vector<CategoryList> categories;
  Unknown handling = Unknown::refuse;
  std::optional<double> unknown;
  double missing = __builtin_nan("");
  std::vector<std::optional<int64_t>> missing_category;  // by column; NaN is a missing category, None an ordinary one
  std::optional<std::vector<Grouping>> groups;

  void learned(Fields& f) {
    f("categories_", categories, {"features"});
    f("unknown_value", unknown);
    f.choice("handle_unknown", handling, {{"error", Unknown::refuse}, {"use_encoded_value", Unknown::category}});
    missing_category.resize(categories.size());
    if (const auto v = f.get("_missing_indices")) {
      const std::span<const plain::Value> pairs = v->items();
      for (size_t i = 0; i + 1 < pairs.size(); i += 2)
        if (pairs[i].is(plain::Kind::integer) && pairs[i].integer >= 0 && size_t(pairs[i].integer) < categories.size())
          f.assign("_missing_indices", pairs[i + 1], missing_category[size_t(pairs[i].integer)], {});
    }
    f.since("encoded_missing_value", missing);  // 1.1
    f("_default_to_infrequent_mappings", groups, {"features"});
    check_groups(f, categories, groups, true);
  }

  Outputs operator()(const Frame& x) const {
    std::vector<Expr> parts;
    for (int64_t i = 0; i < x.size(); ++i) {
      ONWARD_CHECK(size_t(i) < categories.size());
      const CategoryList& known = categories[size_t(i)];
      const int64_t n = known.size();
      const Grouping group = groups ? (*groups)[size_t(i)] : Grouping();
      const Numbers code = Numbers::of({n + 1}, [&](int64_t k) {
        if (k == n) return unknown.value_or(__builtin_nan(""));
        return missing_category[size_t(i)] == k ? missing : double(group && k < group->size() ? (*group)[k] : k);
      });
      tell_unknown(x, i, known, handling);
      parts.push_back(reshaped(pick(code, category_of(x, i, known)), {rows, 1}));
    }
    return transformed(x.all_replaced(concat(parts), Frame::Keeps::nothing));
  }
};

// One column of labels to their numbers. An unknown label, which the library refuses, is -1.
struct LabelEncoder {
  CategoryList classes;

  void learned(Fields& f) {
    f("classes_", classes, {"classes"});
    f.one_column();
  }
  Outputs operator()(const Frame& x) const {
    tell_unknown(x, 0, classes, Unknown::refuse);
    const Array<int64_t> code = Array<int64_t>::of({classes.size() + 1}, [&](int64_t k) { return k == classes.size() ? -1 : k; });
    return transformed(Frame(reshaped(pick(code, category_of(x, 0, classes)), {rows, 1})));
  }
};

Definitions encoders_estimators() {
  return {
      reads<OneHotEncoder>("sklearn.preprocessing.OneHotEncoder",
                           {.cases = {"(handle_unknown='ignore')", "()", "(drop='first')", "(drop='if_binary')",
                                      "(drop='first', handle_unknown='ignore')", "(min_frequency=40, handle_unknown='infrequent_if_exist')",
                                      "(max_categories=3, drop='first', handle_unknown='infrequent_if_exist')",
                                      "(max_categories=3, handle_unknown='ignore')"},
                            .data = "text"}),
      reads<OneHotEncoder>("sklearn.preprocessing.OneHotEncoder",
                           {.cases = {"(handle_unknown='ignore')"}, .data = "ratings missing prices counts bools"}),
      reads<OrdinalEncoder>("sklearn.preprocessing.OrdinalEncoder",
                            {.cases = {"()", "(handle_unknown='use_encoded_value', unknown_value=-1)",
                                       "(handle_unknown='use_encoded_value', unknown_value=np.nan)",
                                       "(handle_unknown='use_encoded_value', unknown_value=-1, encoded_missing_value=-2)",
                                       "(max_categories=3, handle_unknown='use_encoded_value', unknown_value=-5)"},
                             .data = "text"}),
      reads<OrdinalEncoder>("sklearn.preprocessing.OrdinalEncoder", {.cases = {"(handle_unknown='use_encoded_value', unknown_value=-1)"},
                                                                     .data = "ratings missing prices counts bools"}),
      reads<LabelEncoder>("sklearn.preprocessing.LabelEncoder", {.cases = {"()"}, .data = "labels"}),
  };
}

}  // namespace onward
