// feature_engine's encoders: each category of a column becomes a number, a column of its own, or one word for all that are rare.
#include "onward/estimators/categories.h"
#include "onward/estimators/delegation.h"
#include "onward/estimators/fitted_table.h"
#include "onward/estimators/pandas_values.h"

namespace onward {
namespace {

using plain::Kind;
using plain::Value;

// What all encoders have: whether they raise for missing items, which those without the parameter always do.
struct Encoder : FittedTable {
  bool refuses_missing = true;

 protected:
  void read_table(Fields& f) {
    read_variables(f);
    f.choice("missing_values", refuses_missing, {{"raise", true}, {"ignore", false}});
  }
  void tell(const Frame& t, int64_t i, const CategoryList& known, Unknown unknown) const {
    if (refuses_missing) t.select(std::vector{i}).refuse_missing();
    tell_unknown(t, i, known, unknown);
  }
};

// encoder_dict_: {column: {category: number}}; what is missing is an unknown category.
struct NumberEncoder : Encoder {
  struct Encoded {
    int64_t column;
    CategoryList known;
    Numbers becomes;  // (known + 1, 1)
  };
  std::vector<Encoded> encoded;
  Unknown unknown = Unknown::category;

  void learned(Fields& f) {
    read_table(f);
    enum class Unseen { ignore, raise, encode } unseen = Unseen::ignore;
    f.choice(f.get("unseen") ? "unseen" : "errors", unseen, {{"ignore", Unseen::ignore}, {"raise", Unseen::raise}, {"encode", Unseen::encode}});
    double otherwise = __builtin_nan("");
    if (unseen == Unseen::encode) f("_unseen", otherwise);
    if (unseen == Unseen::raise) unknown = Unknown::refuse;
    for (const Said& one : said_of_columns(f, "encoder_dict_")) {
      if (!one.value.is(Kind::dict)) return f.bad(one.place, text("is ", plain::name(one.value.kind), "; expected a dict"));
      std::vector<Value> categories;
      std::vector<double> numbers;
      const std::span<const Value> items = one.value.items();
      for (size_t i = 0; i + 1 < items.size(); i += 2) {
        categories.push_back(items[i]);
        f.assign(one.place, items[i + 1], numbers.emplace_back(otherwise), {});
      }
      numbers.push_back(otherwise);
      encoded.push_back({one.column, labels_of(f, one.place, categories), Numbers({int64_t(numbers.size()), 1}, numbers)});
    }
  }
  Outputs operator()(const Frame& x) const {
    const Frame t = table(x);
    std::map<int64_t, Frame> changed;
    for (const Encoded& e : encoded) {
      tell(t, e.column, e.known, unknown);
      changed.insert_or_assign(e.column, t.replaced(e.column, pick(e.becomes, category_of(t, e.column, e.known)), Frame::Keeps::nothing));
    }
    return transformed(with(t, changed));
  }
};

// encoder_dict_: {column: [category]}
struct Listed : Encoder {
  std::vector<std::pair<int64_t, CategoryList>> listed;

 protected:
  void read_listed(Fields& f) {
    read_table(f);
    for (const Said& one : said_of_columns(f, "encoder_dict_")) listed.emplace_back(one.column, labels_of(f, one.place, f.items_of(one.place, one.value)));
  }
};

// The new columns stand behind those that are not encoded.
struct OneHot : Listed {
  void learned(Fields& f) { read_listed(f); }
  Outputs operator()(const Frame& x) const {
    const Frame t = table(x);
    std::map<int64_t, Frame> gone;
    Frame behind;
    for (const auto& [i, known] : listed) {
      gone.try_emplace(i);
      tell(t, i, known, Unknown::ignore);
      const int64_t n = known.size();
      if (n == 0) continue;
      std::vector<std::string> names;
      for (int64_t k = 0; k < n; ++k) names.push_back(text(t.name(i), "_", category_name(known, k)));
      const Numbers table = Numbers::of({n + 1, n}, [&](int64_t at) { return at / n == at % n ? 1.0 : 0.0; });
      behind.append(Frame(pick(table, category_of(t, i, known)), names));
    }
    return transformed(with(t, gone).append(behind));
  }
};

// What is not listed becomes one word, or one number.
struct RareLabel : Listed {
  std::variant<double, std::string> rare;

  void learned(Fields& f) {
    read_listed(f);
    const auto v = f.get("replace_with");
    if (v && v->is(Kind::text)) f.assign("replace_with", *v, rare.emplace<std::string>(), {});
    else f("replace_with", std::get<double>(rare));
    const bool word = std::holds_alternative<std::string>(rare);
    for (auto& [i, known] : listed) {
      if (known.size() == 0) known.values = word ? Array<std::string>({0}, {}).tensor() : Numbers({0}, {}).tensor();
      else if (word != (known.values.type() == DataType::str))
        f.refuse("replace_with", text("is ", v ? f.said(*v) : "missing", " in '", clipped(inputs[size_t(i)]), "', which would mix words and numbers"),
                 "convertible: a word among words, a number among numbers");
    }
  }
  Outputs operator()(const Frame& x) const {
    const Frame t = table(x);
    std::map<int64_t, Frame> changed;
    for (const auto& [i, known] : listed) {
      tell(t, i, known, Unknown::category);
      const Expr is_rare = reshaped(equal(category_of(t, i, known), Array<int64_t>{known.size()}), {rows, 1});
      changed.insert_or_assign(i, t.replaced(i, std::visit([&](const auto& by) { return replaced(t, i, is_rare, by); }, rare), Frame::Keeps::missing));
    }
    return transformed(with(t, changed));
  }

 private:
  Expr replaced(const Frame& t, int64_t i, Expr is_rare, double by) const {
    return where(both(is_rare, negation(is_nan(t.number(i)))), by, t.number(i));
  }
  // pandas' isin, which the library asks, tells None from NaN: None is rare.
  Expr replaced(const Frame& t, int64_t i, Expr is_rare, const std::string& by) const {
    if (ColumnFacts* facts = t.origin(i); facts && !refuses_missing) facts->tells_missing_apart = true;
    return where(both(is_rare, negation(equal(t.string(i), Array<std::string>{t.graph().missing_words.nan}))), Array<std::string>{by}, t.string(i));
  }
};

// Until 1.6 a pipeline of an encoder and a discretiser; since then what the two make of each category.
struct TreeEncoder : NumberEncoder {
  Estimator pipeline;
  void learned(Fields& f) {
    if (!f.given("encoder_")) return NumberEncoder::learned(f);
    read_table(f);
    f("encoder_", pipeline);
  }
  Outputs operator()(const Frame& x) const {
    if (!pipeline) return NumberEncoder::operator()(x);
    const Frame t = table(x);
    t.select(variables).refuse_missing();
    return ask(pipeline, t, "encoder");
  }
};

}  // namespace

Definitions feature_engine_encoders_estimators() {
  Definitions all = {reads<OneHot>("feature_engine.encoding.OneHotEncoder", {.cases = {}}),
                     reads<RareLabel>("feature_engine.encoding.RareLabelEncoder", {.cases = {}}),
                     reads<TreeEncoder>("feature_engine.encoding.DecisionTreeEncoder", {.cases = {}})};
  for (const std::string_view name : {"feature_engine.encoding.OrdinalEncoder", "feature_engine.encoding.CountFrequencyEncoder",
                                      "feature_engine.encoding.MeanEncoder", "feature_engine.encoding.WoEEncoder"})
    all.push_back(reads<NumberEncoder>(name, {.cases = {}}));
  return all;
}

}  // namespace onward
