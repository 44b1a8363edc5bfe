// SimpleImputer: missing items replaced by learned ones. Numbers are missing by value (NaN or another), text by None, NaN or a word.
#include "onward/estimators/assumptions.h"
#include "onward/estimators/missing_values.h"

namespace onward {

struct SimpleImputer {
  struct Fill {
    enum class Kind { number, word, none, nothing } kind = Kind::nothing;  // none: None itself; nothing: the column was all missing in training
    double number = 0;
    std::string word;
  };
  std::vector<Fill> fills;
  MissingValues missing;
  bool keep_empty = false;                  // since 1.2
  std::optional<Array<int64_t>> indicated;  // columns that get a "was missing" column

  void learned(Fields& f) {
    if (const auto v = f.get("statistics_")) read_fills(f, *v);
    else f.bad("statistics_", "is missing: the estimator is not fitted");
    // Means of float32 columns are found in double, and filled as float32 by versions that know what they were fitted on.
    if (f.float32("_fill_dtype"))
      for (Fill& fill : fills) fill.number = float(fill.number);
    missing.learned(f);
    f.since("keep_empty_features", keep_empty);
    read_indicated(f, indicated, int64_t(fills.size()));
  }

  bool takes_missing(const Frame& x) const { return missing.takes_missing(any_text(x)); }
  Outputs operator()(const Frame& x) const {
    ONWARD_CHECK(x.size() == int64_t(fills.size()));
    tell_gaps(x);
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
      const bool absent = item.is(plain::Kind::real) && item.real != item.real;
      if (item.is(plain::Kind::none)) fill.kind = Fill::Kind::none;
      else if (item.is(plain::Kind::text)) fill.kind = Fill::Kind::word, f.assign("statistics_", item, fill.word, {});
      else if (!absent)
        fill.kind = Fill::Kind::number,
        f.assign("statistics_", item.is(plain::Kind::boolean) ? plain::integer(item.boolean) : item, fill.number, {});
    }
  }
  bool is_text(const Frame& x, int64_t i) const {
    if (x.is_text(i) || missing.kind == MissingValues::Kind::word) return true;
    return is_word(i) && !attempt_of(x).word_fills_numbers(x, i) && x.as(i, DataType::str).type() == DataType::str;
  }
  bool is_word(int64_t i) const { return fills[size_t(i)].kind == Fill::Kind::word || fills[size_t(i)].kind == Fill::Kind::none; }
  bool any_text(const Frame& x) const {
    for (int64_t i = 0; i < x.size(); ++i)
      if (is_text(x, i)) return true;
    return false;
  }
  // A number that is missing would become a word, which no later step takes.
  void tell_gaps(const Frame& x) const {
    for (int64_t i = 0; i < x.size(); ++i) {
      if (!is_word(i)) continue;
      if (is_text(x, i)) attempt_of(x).assume_words(x, i);
      else x.select(std::vector{i}).refuse_missing();
    }
    missing.tell_imputed(x);
  }
  double number_for(int64_t i) const {
    return is_word(i) ? __builtin_nan("") : fills[size_t(i)].number;
  }
  bool kept(int64_t i) const { return keep_empty || fills[size_t(i)].kind != Fill::Kind::nothing; }

  Outputs numbers(const Frame& x) const {
    const Expr all = x.numbers(), gone = missing.among_numbers(all);
    const Numbers fill = Numbers::of({x.size()}, [&](int64_t i) { return number_for(i); });
    std::vector<int64_t> which;
    for (int64_t i = 0; i < x.size(); ++i)
      if (kept(i)) which.push_back(i);
    Frame out = x.all_replaced(where(gone, fill, all), Frame::Keeps::values).select(which);
    if (indicated) out.append(missing_indicators(x, columns(gone, {indicated->begin(), indicated->end()}), *indicated));
    return transformed(out);
  }

  Outputs column_by_column(const Frame& x) const {
    Frame out;
    std::vector<Expr> gone;
    for (int64_t i = 0; i < x.size(); ++i) {
      const Fill& fill = fills[size_t(i)];
      if (!is_text(x, i)) {
        const Expr number = x.number(i);
        gone.push_back(missing.among_numbers(number));
        if (kept(i)) out.append(x.replaced(i, where(gone.back(), number_for(i), number), Frame::Keeps::values));
        continue;
      }
      const Expr word = x.string(i);
      gone.push_back(missing.among_words(x, i));
      const std::string& by = fill.kind == Fill::Kind::none ? x.graph().missing_words.none : fill.word;
      if (kept(i)) out.append(x.replaced(i, where(gone.back(), Array<std::string>{by}, word), Frame::Keeps::values));
    }
    if (indicated) {
      std::vector<Expr> chosen;
      for (int64_t i : *indicated) chosen.push_back(gone[size_t(i)]);
      if (!chosen.empty()) out.append(missing_indicators(x, concat(chosen), *indicated));
    }
    return transformed(out);
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
