// The encoders of category_encoders. Each takes the columns of a table that it encodes, and looks every item up: among the categories that
// training met, then in a table of numbers that holds what missing and unknown ones become.
#include "onward/estimators/categories.h"
#include "onward/estimators/delegation.h"
#include "onward/estimators/fitted_table.h"
#include "onward/estimators/pandas_values.h"

namespace onward {
namespace {

using plain::Kind;
using plain::Value;

constexpr double nan = __builtin_nan("");

// What a parameter such as handle_unknown asks for.
struct Policy {
  enum class Does { value, give_nan, refuse, number } does = Does::value;
  double number = 0;
  double or_else(double usual) const { return does == Does::number ? number : does == Does::value ? usual : nan; }
};

Policy policy_of(Fields& f, std::string_view name, const Value& v) {
  if (v.is(Kind::integer) || v.is(Kind::real)) return {Policy::Does::number, v.is(Kind::real) ? v.real : double(v.integer)};
  if (v.str() == "error") return {Policy::Does::refuse};
  if (v.str() == "return_nan") return {Policy::Does::give_nan};
  if (!v.is(Kind::text)) f.refuse(name, text("is ", f.said(v)), "convertible: value, return_nan, error, indicator, ignore and numbers");
  return {};
}
Policy policy_of(Fields& f, std::string_view name) {
  const auto v = f.get(name);
  return v ? policy_of(f, name, *v) : Policy();
}

// One column, encoded: the categories that are known, and what each becomes.
struct Encoded {
  int64_t column = 0;               // of the table
  CategoryList known;
  Numbers becomes;                  // (known + 1, columns): a row for each category, and one for what is unknown
  std::vector<std::string> names;   // of the new columns; none: it keeps its own
};

// Pandas takes None for NaN where an item of a column of objects is looked up.
CategoryList with_none(CategoryList known) {
  if (!known.nan || known.none || known.values.type() != DataType::str) return known;
  const int64_t n = known.size();
  known.values = Array<std::string>::of({n + 1}, [&](int64_t k) { return k < n ? known.values.data<std::string>()[k] : std::string(); });
  known.none = n;
  return known;
}

// `number`(category, new column) for each category, and for the number of categories where an item is unknown.
template <class F>
Numbers table_of(const CategoryList& known, int64_t width, F number) {
  const int64_t n = known.size();
  return Numbers::of({n + 1, width}, [&](int64_t at) {
    const int64_t k = at / width;
    return number(known.none == k && known.nan ? *known.nan : k, at % width);
  });
}

// What every encoder has: the columns that it takes, what it does with those that it does not know, and what it leaves out.
struct CategoryEncoder : FittedTable {
  std::vector<Encoded> encoded;
  std::vector<std::string> invariant;
  Policy unknown, missing;

  void learned(Fields& f) {
    unknown = policy_of(f, "handle_unknown"), missing = policy_of(f, "handle_missing");
    for (const auto& [name, says] : {std::pair{"min_group_lumping_", "groups rare categories (min_group_size)"}, {"composite_members_", "joins columns (composite_cols)"}})
      if (const auto v = f.get(name); v && !v->items().empty()) f.refuse(name, says, "convertible: fitted without it");
    if (f.get("feature_names_in_")) read_inputs(f);
    for (const std::string_view left_out : {"invariant_cols", "drop_cols"})
      if (const auto v = f.get(left_out); v && v->is(Kind::list))
        for (const Value& one : v->items()) invariant.push_back(label_name(f, left_out, one));
  }

  Outputs operator()(const Frame& x) const {
    Frame out;
    for (int64_t i = 0; i < x.size(); ++i) {
      const auto e = std::find_if(encoded.begin(), encoded.end(), [&](const Encoded& one) { return one.column == i; });
      const Frame part = e == encoded.end() ? x.select(std::vector{i}).renamed({input_name(x, i)}) : looked_up(x, *e);
      for (int64_t k = 0; k < part.size(); ++k)
        if (std::find(invariant.begin(), invariant.end(), part.name(k)) == invariant.end()) out.append(part.select(std::vector{k}));
    }
    return transformed(out);
  }

 protected:
  // A dict by column, or a list of {"col": name, "mapping": …}.
  std::vector<Said> said_of_encoded(Fields& f, std::string_view name, const Value& mapping) const {
    if (!mapping.is(Kind::list)) return said_of_columns(f, name, mapping);
    std::vector<Said> all;
    for (const Value& one : mapping.items()) {
      const auto col = one.find("col"), table = one.find("mapping");
      if (!col || !table) return f.bad(name, "holds an item without col or mapping"), all;
      if (const auto at = place_of_column(f, name, *col)) all.push_back({*at, place_said(name, *at), *table});
    }
    return all;
  }
  std::vector<Said> said_of_encoded(Fields& f, std::string_view name) const {
    const auto mapping = f.get(name);
    if (mapping && !mapping->is(Kind::none)) return said_of_encoded(f, name, *mapping);
    f.bad(name, "is missing: the encoder is not fitted");
    return {};
  }

 private:
  std::string input_name(const Frame& x, int64_t i) const { return size_t(i) < inputs.size() ? inputs[size_t(i)] : x.name(i); }
  Frame looked_up(const Frame& x, const Encoded& e) const {
    if (missing.does == Policy::Does::refuse) x.select(std::vector{e.column}).refuse_missing();
    tell_unknown(x, e.column, e.known, unknown.does == Policy::Does::refuse ? Unknown::refuse : Unknown::category);
    if (e.becomes.dim(1) == 0) return Frame();
    const Expr block = pick(e.becomes, category_of(x, e.column, e.known));
    if (e.names.empty()) return x.replaced(e.column, block, Frame::Keeps::nothing).renamed({input_name(x, e.column)});
    return Frame(block, e.names);
  }
};

// By way of an ordinal encoder: category -> code, then code -> numbers. Code -1 is unknown.
struct ByCode : CategoryEncoder {
  void learned(Fields& f) {
    CategoryEncoder::learned(f);
    const auto ordinal = f.get("ordinal_encoder");
    const auto codes = ordinal && ordinal->is(Kind::object) ? ordinal->find("mapping") : std::nullopt;
    if (!codes) return f.bad("ordinal_encoder", "is missing: the encoder is not fitted");
    std::map<int64_t, LabelledNumbers> code_of;
    for (const Said& one : said_of_encoded(f, "ordinal_encoder.mapping", *codes)) code_of[one.column] = read_labelled(f, one.place, one.value);
    for (const Said& one : said_of_encoded(f, "mapping")) {
      const LabelledNumbers& categories = code_of[one.column];
      const LabelledNumbers table = read_labelled(f, one.place, one.value);
      if (!f.ok()) return;
      if (categories.width() != 1) return f.bad("ordinal_encoder.mapping", text("has no codes for ", one.place));
      const int64_t n = categories.labels.size();
      std::vector<std::optional<int64_t>> row;
      for (int64_t k = 0; k <= n; ++k) row.push_back(place_of_number(table.labels, k < n ? categories.values[k] : -1));
      Encoded e{one.column, with_none(categories.labels), {}, table.columns};
      e.becomes = table_of(e.known, table.width(), [&](int64_t k, int64_t to) {
        const auto at = row[size_t(std::min(k, n))];
        return at ? table.values[*at * table.width() + to] : nan;
      });
      encoded.push_back(std::move(e));
    }
  }
};

// Contrasts, which until 2.6 stood behind a column of ones for the regression that they were made for.
struct Contrasts : ByCode {
  bool intercept = false;
  void learned(Fields& f) {
    ByCode::learned(f);
    const auto names = f.get("feature_names_out_");
    if (!names || !names->is(Kind::list) || names->items().empty() || !names->items()[0].is(Kind::text)) return;
    intercept = names->items()[0].str() == "intercept" && std::find(inputs.begin(), inputs.end(), "intercept") == inputs.end();
  }
  Outputs operator()(const Frame& x) const {
    Outputs rest = ByCode::operator()(x);
    if (!intercept) return rest;
    Frame all(cast(column_of(row_zeros(x)), DataType::f64) + 1.0, std::vector<std::string>{"intercept"});
    return transformed(all.append(*rest.transform));
  }
};

struct Ordinal : CategoryEncoder {
  void learned(Fields& f) {
    CategoryEncoder::learned(f);
    for (const Said& one : said_of_encoded(f, "mapping")) {
      const LabelledNumbers codes = read_labelled(f, one.place, one.value);
      if (!f.ok()) return;
      if (codes.width() != 1) return f.bad(one.place, "is no Series");
      Encoded e{one.column, with_none(codes.labels), {}, {}};
      const int64_t n = codes.labels.size();
      e.becomes = table_of(e.known, 1, [&](int64_t k, int64_t) {
        const double code = k < n ? codes.values[k] : nan;
        return code == -2 ? missing.or_else(-2) : code == code ? code : unknown.or_else(-1);
      });
      encoded.push_back(std::move(e));
    }
  }
};

// Each category's mean of the target, from its sum and count; of one that occurred once, the mean of all.
struct ByMean : CategoryEncoder {
  double weight = 0;  // of the mean of all

  void learned(Fields& f) {
    CategoryEncoder::learned(f);
    double mean = 0;
    f("_mean", mean);
    for (const Said& one : said_of_encoded(f, "mapping")) {
      const LabelledNumbers seen = read_labelled(f, one.place, one.value);
      if (!f.ok()) return;
      if (seen.columns != std::vector<std::string>{"sum", "count"}) return f.bad(one.place, "does not hold sum and count");
      if (may_be_of_bools(f, one.column, seen.labels))
        return f.refuse(one.place, "is of a column of bools, or of zeros and ones, and this encoder meets every bool as an unknown category",
                        "encode the column as words, or leave it out: bools are numbers already");
      Encoded e{one.column, with_gap(seen.labels), {}, {}};
      const int64_t n = seen.labels.size();
      e.becomes = table_of(e.known, 1, [&](int64_t k, int64_t) {
        if (e.known.nan == k && missing.does != Policy::Does::value) return nan;
        if (k >= n) return e.known.nan == k ? mean : unknown.or_else(mean);
        const double sum = seen.values[2 * k], count = seen.values[2 * k + 1];
        return count > 1 ? (sum + mean * weight) / (count + weight) : mean;
      });
      encoded.push_back(std::move(e));
    }
  }

 private:
  // Training kept bools as 0.0 and 1.0, and the library finds none of them again. Which columns were bools is said since 2.10.
  static bool may_be_of_bools(Fields& f, int64_t column, const CategoryList& known) {
    const auto types = f.get("feature_dtypes_in_");
    const std::span<const Value> said = types ? types->items() : std::span<const Value>();
    if (size_t(column) < said.size()) return said[size_t(column)].is(Kind::dtype) && said[size_t(column)].dtype->kind == 'b';
    if (known.values.type() != DataType::f64) return false;
    const auto numbers = known.values.values<double>();
    return std::all_of(numbers.begin(), numbers.end(), [](double x) { return x == 0 || x == 1 || x != x; });
  }
  // What is missing has a rule of its own, whether or not training met it.
  static CategoryList with_gap(CategoryList known) {
    if (known.nan) return with_none(known);
    const int64_t n = known.size();
    if (known.values.type() == DataType::str) known.values = Array<std::string>::of({n + 1}, [&](int64_t k) { return k < n ? known.values.data<std::string>()[k] : std::string(); });
    else if (!for_type<i64 | f64 | b8>(known.values.type(), [&]<class T>() {
               known.values = Numbers::of({n + 1}, [&, old = known.values](int64_t k) { return k < n ? double(old.data<T>()[k]) : nan; });
             }))
      return known;
    known.nan = n;
    return with_none(known);
  }
};

struct OrderedMean : ByMean {
  void learned(Fields& f) {
    f("a", weight);
    ByMean::learned(f);
  }
};

// How often training met each category; rare ones may be counted together.
struct Counts : CategoryEncoder {
  void learned(Fields& f) {
    CategoryEncoder::learned(f);
    for (const Said& one : said_of_encoded(f, "mapping")) {
      const LabelledNumbers counts = read_labelled(f, one.place, one.value);
      if (!f.ok()) return;
      if (counts.width() != 1) return f.bad(one.place, "is no Series");
      const Policy unknown_here = of_column(f, "_handle_unknown", one.column), missing_here = of_column(f, "_handle_missing", one.column);
      refuses_unknown |= unknown_here.does == Policy::Does::refuse;
      if (const auto grouped = f.get("_min_group_categories"); grouped && !grouped->items().empty())
        return f.refuse("min_group_size", "counts rare categories together", "convertible: fitted without it");
      Encoded e{one.column, with_none(counts.labels), {}, {}};
      const int64_t n = counts.labels.size();
      const bool keeps_gaps = missing_here.does == Policy::Does::give_nan;
      e.becomes = table_of(e.known, 1, [&](int64_t k, int64_t) {
        const double count = k < n ? counts.values[k] : nan;
        if (count == count || unknown_here.does == Policy::Does::give_nan) return count;
        return unknown_here.does == Policy::Does::number ? unknown_here.number : keeps_gaps ? nan : 0.0;
      });
      encoded.push_back(std::move(e));
    }
    if (refuses_unknown) unknown.does = Policy::Does::refuse;
    else if (unknown.does == Policy::Does::refuse) unknown.does = Policy::Does::value;
    if (missing.does == Policy::Does::refuse) missing.does = Policy::Does::value;
  }

 private:
  bool refuses_unknown = false;
  Policy of_column(Fields& f, std::string_view name, int64_t column) const {
    const auto all = f.get(name);
    const auto own = all ? all->find(inputs[size_t(column)]) : std::nullopt;
    if (own) return policy_of(f, name, *own);
    const std::span<const Value> items = all ? all->items() : std::span<const Value>();  // the columns of a matrix have numbers
    for (size_t i = 0; i + 1 < items.size(); i += 2)
      if (label_name(f, name, items[i]) == inputs[size_t(column)]) return policy_of(f, name, items[i + 1]);
    return {};
  }
};

struct Hashing {
  void learned(Fields& f) {
    f.refuse("hash_method", text("is ", f.given("hash_method") ? f.said(*f.get("hash_method")) : "md5", ": no operator hashes words so"),
             "convertible: BinaryEncoder, BaseNEncoder and the other encoders, which keep their categories");
  }
  Outputs operator()(const Frame& x) const { return transformed(x); }
};

template <class M>
void add(Definitions& to, std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names) to.push_back(reads<M>(name, {.cases = {}}));
}

}  // namespace

Definitions category_encoders_estimators() {
  Definitions all;
  add<Ordinal>(all, {"category_encoders.OrdinalEncoder"});
  add<ByCode>(all, {"category_encoders.OneHotEncoder", "category_encoders.BaseNEncoder", "category_encoders.BinaryEncoder",
                    "category_encoders.GrayEncoder", "category_encoders.TargetEncoder", "category_encoders.MEstimateEncoder",
                    "category_encoders.JamesSteinEncoder", "category_encoders.WOEEncoder", "category_encoders.QuantileEncoder",
                    "category_encoders.GLMMEncoder"});
  add<Contrasts>(all, {"category_encoders.SumEncoder", "category_encoders.HelmertEncoder", "category_encoders.BackwardDifferenceEncoder",
                       "category_encoders.PolynomialEncoder"});
  add<ByMean>(all, {"category_encoders.LeaveOneOutEncoder"});
  add<OrderedMean>(all, {"category_encoders.CatBoostEncoder"});
  add<Counts>(all, {"category_encoders.CountEncoder"});
  add<Hashing>(all, {"category_encoders.HashingEncoder"});
  return all;
}

}  // namespace onward
