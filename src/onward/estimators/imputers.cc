// SimpleImputer: missing items replaced by learned ones. Numbers are missing by value (NaN or another), text by None, NaN or a word.
#include "onward/estimators/fields.h"

namespace onward {

struct SimpleImputer {
  struct Fill {
    enum class Kind { number, word, nothing } kind = Kind::nothing;  // nothing: the column was all missing in training
    double number = 0;
    std::string word;
  };
  struct Missing {
    enum class Kind { nan, none, number, word } kind = Kind::nan;
    double number = 0;
    std::string word;
  };
  std::vector<Fill> fills;
  Missing missing;
  bool keep_empty = false;                  // since 1.2
  std::optional<Array<int64_t>> indicated;  // columns that get a "was missing" column

  void learned(Fields& f) {
    if (const auto v = f.get("statistics_")) read_fills(f, *v);
    else f.bad("statistics_", "is missing: the estimator is not fitted");
    if (const auto v = f.get("missing_values")) read_missing(f, *v);
    f.since("keep_empty_features", keep_empty);
    if (const auto v = f.get("indicator_"))
      if (const auto columns = v->find("features_")) f.assign("indicator_.features_", *columns, indicated.emplace(), {"indicated"});
    if (indicated)
      for (int64_t c : *indicated)
        if (c < 0 || c >= int64_t(fills.size())) f.bad("indicator_.features_", text("names column ", c, " of ", fills.size()));
  }

  // A number or a word that stands for missing: then NaN is an error, and of None's kind it is one among numbers.
  bool takes_missing(const Frame& x) const {
    if (missing.kind != Missing::Kind::none) return missing.kind == Missing::Kind::nan;
    return any_text(x);
  }
  Outputs operator()(const Frame& x) const {
    ONWARD_CHECK(x.size() == int64_t(fills.size()));
    for (int64_t i = 0; i < x.size(); ++i)
      if (ColumnFacts* facts = x.origin(i, Frame::Keeps::missing); facts && facts->missing == onward::Missing::nan) facts->missing = onward::Missing::impute;
    return any_text(x) ? column_by_column(x) : numbers(x);
  }

 private:
  void read_fills(Fields& f, const plain::Value& v) {
    if (!v.is(plain::Kind::array) || v.array->type->kind != 'O') {
      CategoryList same;  // all numbers, or all text
      f.assign("statistics_", v, same, {"features"});
      fills.resize(size_t(same.size()));
      for_type<f64 | i64 | b8>(same.values.type(), [&]<class T>() {
        for (size_t i = 0; i < fills.size(); ++i) {
          const double number = double(same.values.data<T>()[i]);
          fills[i] = {number == number ? Fill::Kind::number : Fill::Kind::nothing, number, {}};
        }
      });
      if (same.values.type() == DataType::str)
        for (size_t i = 0; i < fills.size(); ++i) fills[i] = {Fill::Kind::word, 0, same.values.data<std::string>()[i]};
      return;
    }
    f.check("statistics_", Dims(v.array->shape), {"features"});
    for (const plain::Value& item : v.array->objects) {
      Fill& fill = fills.emplace_back();
      const bool absent = item.is(plain::Kind::none) || (item.is(plain::Kind::real) && item.real != item.real);
      if (item.is(plain::Kind::text)) fill.kind = Fill::Kind::word, f.assign("statistics_", item, fill.word, {});
      else if (!absent)
        fill.kind = Fill::Kind::number,
        f.assign("statistics_", item.is(plain::Kind::boolean) ? plain::integer(item.boolean) : item, fill.number, {});
    }
  }
  void read_missing(Fields& f, const plain::Value& v) {
    if (v.is(plain::Kind::none)) missing.kind = Missing::Kind::none;
    else if (v.is(plain::Kind::text)) missing.kind = Missing::Kind::word, f.assign("missing_values", v, missing.word, {});
    else if (v.is(plain::Kind::integer) || v.is(plain::Kind::real)) {
      f.assign("missing_values", v, missing.number, {});
      missing.kind = missing.number != missing.number ? Missing::Kind::nan : Missing::Kind::number;
    } else if (!v.is(plain::Kind::object) && !v.is(plain::Kind::global))
      f.refuse("missing_values", text("is ", f.said(v)), "convertible: NaN, None, pandas.NA, a number or a string");
  }

  bool is_text(const Frame& x, int64_t i) const {
    return fills[size_t(i)].kind == Fill::Kind::word || x.is_text(i) || missing.kind == Missing::Kind::word;
  }
  bool any_text(const Frame& x) const {
    for (int64_t i = 0; i < x.size(); ++i)
      if (is_text(x, i)) return true;
    return false;
  }
  bool kept(int64_t i) const { return keep_empty || fills[size_t(i)].kind != Fill::Kind::nothing; }
  Expr absent(Expr x) const { return missing.kind == Missing::Kind::number ? equal(x, missing.number) : is_nan(x); }

  Outputs numbers(const Frame& x) const {
    const Expr all = x.numbers(), gone = absent(all);
    const Numbers fill = Numbers::of({x.size()}, [&](int64_t i) { return fills[size_t(i)].number; });
    std::vector<int64_t> which;
    for (int64_t i = 0; i < x.size(); ++i)
      if (kept(i)) which.push_back(i);
    Frame out = x.all_replaced(where(gone, fill, all), Frame::Keeps::values).select(which);
    if (indicated) out.append(indicator(x, columns(gone, {indicated->begin(), indicated->end()})));
    return transformed(out);
  }

  Outputs column_by_column(const Frame& x) const {
    Frame out;
    std::vector<Expr> gone;
    for (int64_t i = 0; i < x.size(); ++i) {
      const Fill& fill = fills[size_t(i)];
      if (!is_text(x, i)) {
        const Expr number = x.number(i);
        gone.push_back(absent(number));
        if (kept(i)) out.append(x.replaced(i, where(gone.back(), fill.number, number), Frame::Keeps::values));
        continue;
      }
      const Expr word = x.string(i);
      gone.push_back(equal(word, Array<std::string>{word_of_missing(x.graph().missing_words)}));
      if (ColumnFacts* facts = x.origin(i); facts && missing.kind != Missing::Kind::word) facts->tells_missing_apart = true;
      if (kept(i)) out.append(x.replaced(i, where(gone.back(), Array<std::string>{fill.word}, word), Frame::Keeps::values));
    }
    if (indicated) {
      std::vector<Expr> chosen;
      for (int64_t i : *indicated) chosen.push_back(gone[size_t(i)]);
      if (!chosen.empty()) out.append(indicator(x, concat(chosen)));
    }
    return transformed(out);
  }
  const std::string& word_of_missing(const MissingWords& words) const {
    return missing.kind == Missing::Kind::word ? missing.word : missing.kind == Missing::Kind::none ? words.none : words.nan;
  }
  Frame indicator(const Frame& x, Expr gone) const {
    std::vector<std::string> names;
    for (int64_t i : *indicated) names.push_back("missingindicator_" + x.name(i));
    return Frame(cast(gone, DataType::f64), names);
  }
};

Definitions imputers_estimators() {
  return {
      reads<SimpleImputer>("sklearn.impute.SimpleImputer",
                           {.cases = {"()", "(strategy='median', add_indicator=True)", "(strategy='most_frequent')",
                                      "(strategy='constant', fill_value=-1.0)", "(strategy='constant', keep_empty_features=True)"},
                            .data = "clean missing ratings prices"}),
      reads<SimpleImputer>("sklearn.impute.SimpleImputer", {.cases = {"(missing_values=0.5, strategy='median')",
                                                                      "(missing_values=0.5, strategy='most_frequent', add_indicator=True)"},
                                                            .data = "ratings"}),
      reads<SimpleImputer>("sklearn.impute.SimpleImputer",
                           {.cases = {"(strategy='most_frequent')", "(strategy='constant', fill_value='none')",
                                      "(strategy='most_frequent', add_indicator=True)", "(missing_values='red', strategy='most_frequent')"},
                            .data = "text"}),
      reads<SimpleImputer>(
          "sklearn.impute.SimpleImputer",
          {.cases = {"(missing_values=None, strategy='most_frequent')", "(missing_values=None, strategy='constant')"}, .data = "none"}),
  };
}

}  // namespace onward
