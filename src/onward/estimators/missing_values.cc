#include "onward/estimators/missing_values.h"

namespace onward {

void MissingValues::learned(Fields& f) {
  const auto v = f.get("missing_values");
  if (!v) return;
  if (v->is(plain::Kind::none)) kind = Kind::none;
  else if (v->is(plain::Kind::text)) kind = Kind::word, f.assign("missing_values", *v, word, {});
  else if (v->is(plain::Kind::integer) || v->is(plain::Kind::real)) {
    f.assign("missing_values", *v, number, {});
    kind = number != number ? Kind::nan : Kind::number;
  } else if (!v->is(plain::Kind::object) && !v->is(plain::Kind::global))
    f.refuse("missing_values", text("is ", f.said(*v)), "convertible: NaN, None, pandas.NA, a number or a string");
}

void MissingValues::tell_imputed(const Frame& x) const {
  for (int64_t i = 0; i < x.size(); ++i)
    if (ColumnFacts* facts = x.origin(i, Frame::Keeps::missing); facts && facts->missing == Missing::nan) facts->missing = Missing::impute;
}

Expr MissingValues::among_numbers(Expr x) const { return kind == Kind::number ? equal(x, number) : is_nan(x); }

Expr MissingValues::among_words(const Frame& x, int64_t i) const {
  if (ColumnFacts* facts = x.origin(i); facts && kind != Kind::word) facts->tells_missing_apart = true;
  const MissingWords& words = x.graph().missing_words;
  return equal(x.string(i), Array<std::string>{kind == Kind::word ? word : kind == Kind::none ? words.none : words.nan});
}

Frame missing_indicators(const Frame& x, Expr gone, const Array<int64_t>& which) {
  std::vector<std::string> names;
  for (int64_t i : which) names.push_back("missingindicator_" + x.name(i));
  return Frame(cast(gone, DataType::f64), names);
}

void read_indicated(Fields& f, std::optional<Array<int64_t>>& indicated, int64_t columns) {
  if (const auto v = f.get("indicator_"))
    if (const auto which = v->find("features_")) f.assign("indicator_.features_", *which, indicated.emplace(), {"indicated"});
  if (!indicated) return;
  for (int64_t c : *indicated)
    if (c < 0 || c >= columns) return f.bad("indicator_.features_", text("names column ", c, " of ", columns));
}

}  // namespace onward
