#include "onward/data/fill.h"

#include <cmath>
#include <limits>
#include <unordered_set>

#include "onward/base/suggest.h"
#include "onward/data/cell_text.h"

namespace onward {
namespace {

constexpr const char* about_unknown = "correct the value or leave the row out; the schema's policy is \"unknown\"";
constexpr Types column_elements = f64 | f32 | f16 | bf16 | i8 | i16 | i32 | i64 | u8 | u16 | u32 | u64 | b8;

struct Filler {
  const Field& field;
  const Column& column;
  int64_t first_row;
  std::unordered_set<double> reals = {};                 // the known numbers, if others are refused
  std::unordered_set<int64_t> wholes = {};

  void prepare() {
    if (field.unknown != Unknown::refuse) return;
    if (auto* known = std::get_if<std::vector<double>>(&field.categories)) reals.insert(known->begin(), known->end());
    if (auto* known = std::get_if<std::vector<int64_t>>(&field.categories)) wholes.insert(known->begin(), known->end());
  }
  [[noreturn]] void refuse(size_t row, std::string_view what, std::string hint = {}) const {
    throw Error(Code::bad_data, text("row ", first_row + int64_t(row) + 1, ", column '", column.name, "': ", what), std::move(hint));
  }
  // A gap that the schema lets through, on its way into a tensor that can express it or not.
  void pass_gap(size_t row, bool expressible) const {
    if (field.missing == Missing::refuse)
      refuse(row, "the value is missing, and the schema refuses missing values", "fill the gap or leave the row out; the schema's policy is \"missing\"");
    if (!expressible) refuse(row, text("the value is missing, which ", name_of(tensor_type(field)), " cannot express"), "fill the gap or leave the row out");
  }

  template <class T> void numbers(T* out, size_t stride) const;
  template <class T, class V> T number(size_t row, V value) const;
  template <class V> V in_range(size_t row, V value) const;
  template <class T> T finite(size_t row, T value) const;
  template <class V> void check_known(size_t row, V value) const;
  template <class T> T parsed(size_t row, std::string_view value) const;
  size_t first_word(size_t row) const;
  void texts(std::string* out, size_t stride) const;
  std::string written(size_t row) const;
  std::string_view gap_text(Cell kind) const;
  std::string text_of(size_t row) const;
};

template <class V> constexpr bool is_nan(V value) {
  if constexpr (std::is_floating_point_v<V>) return std::isnan(value);
  else return false;
}

template <class V> constexpr bool is_finite(V value) {
  if constexpr (std::is_floating_point_v<V>) return std::isfinite(value);
  else return true;
}

template <class T> void Filler::numbers(T* out, size_t stride) const {
  constexpr bool floating = contains(f64 | f32 | f16 | bf16, type_of<T>);
  const auto gap = [&](size_t row) {
    pass_gap(row, floating);
    if constexpr (floating) out[row * stride] = T(std::numeric_limits<float>::quiet_NaN());
  };
  const bool plain = column.cells.empty() && !field.range && size(field.categories) == 0;
  std::visit([&]<class Values>(const Values& values) {
    for (size_t row = 0; row < values.size(); ++row) {
      if constexpr (std::is_same_v<Values, Strings>) {
        if (column.missing(row)) gap(row);
        else out[row * stride] = parsed<T>(row, values[row]);
      } else {
        const auto value = values[row];
        if constexpr (std::is_same_v<T, std::remove_const_t<decltype(value)>>) {
          if (plain && is_finite(value)) {
            out[row * stride] = value;
            continue;
          }
        }
        if (column.missing(row) || is_nan(value)) gap(row);
        else out[row * stride] = number<T>(row, value);
      }
    }
  }, column.values);
}

template <class T, class V> T Filler::number(size_t row, V value) const {
  check_known(row, value);
  value = in_range(row, value);
  if constexpr (contains(f64 | f32, type_of<T>)) {
    return finite(row, T(value));
  } else if constexpr (contains(f16 | bf16, type_of<T>)) {
    const T out = T(float(value));
    finite(row, float(out));
    return out;
  } else if constexpr (std::is_same_v<T, bool>) {
    if (value != V(0) && value != V(1)) refuse(row, text("expected True or False, found ", text_of(row)), "of numbers, 1 and 0 are taken");
    return value != V(0);
  } else {
    if constexpr (std::is_floating_point_v<V>) {
      const double d = double(value);
      const bool fits = d == std::trunc(d) && d >= double(std::numeric_limits<T>::min()) && d < std::ldexp(1.0, std::numeric_limits<T>::digits);
      if (!fits) refuse(row, text("expected a whole number (", name_of(type_of<T>), "), found ", text_of(row)), "round it, or convert the model with an example of such a table");
    } else if (!std::in_range<T>(value)) {
      refuse(row, text("expected a number that ", name_of(type_of<T>), " can hold, found ", text_of(row)), "correct the value or leave the row out");
    }
    return T(value);
  }
}

// The value as the tensor holds it: a narrow type makes large numbers infinite.
template <class T> T Filler::finite(size_t row, T value) const {
  if (field.infinity == Infinity::refuse && std::isinf(value))
    refuse(row, text(text_of(row), " is infinite as ", field.element == DataType::none ? name_of(field.type) : name_of(field.element), ", and the schema refuses infinity"),
           "correct the value or leave the row out; the schema's policy is \"infinity\"");
  return value;
}

template <class V> V Filler::in_range(size_t row, V value) const {
  if (!field.range || field.out_of_range == OutOfRange::accept) return value;
  const double d = double(value);
  if (d >= field.range->min && d <= field.range->max) return value;
  if (field.out_of_range == OutOfRange::refuse)
    refuse(row, text(text_of(row), " is outside the range ", field.range->min, " to ", field.range->max, " that the schema allows"),
           "correct the value or leave the row out; the schema's policy is \"out_of_range\"");
  const bool low = d < field.range->min;
  if constexpr (std::is_floating_point_v<V>) return V(low ? field.range->min : field.range->max);
  else return V(low ? std::ceil(field.range->min) : std::floor(field.range->max));   // finite, as a whole number lies beyond it
}

template <class V> void Filler::check_known(size_t row, V value) const {
  if (field.unknown != Unknown::refuse || size(field.categories) == 0) return;
  bool known = reals.contains(double(value));
  if (!known && !wholes.empty()) known = std::abs(double(value)) < 0x1p63 && double(int64_t(value)) == double(value) && wholes.contains(int64_t(value));
  if (!known) refuse(row, text(text_of(row), " is none of the ", size(field.categories), " known values, and the schema refuses unknown ones"), about_unknown);
}

// Where words stand among numbers, all come as text, and the words are what is wrong.
size_t Filler::first_word(size_t row) const {
  for (size_t i = row; i < column.size(); ++i)
    if (!column.missing(i) && !number_from(column.strings()[i])) return i;
  return row;
}

// Text where the schema has another type: JSON has no dates, and a caller's columns may all be text.
template <class T> T Filler::parsed(size_t row, std::string_view value) const {
  if (size(field.categories))
    refuse(first_word(row), text(text_of(first_word(row)), " is text, and the model takes ", name_of(field.type)),
           "to the library it is none of the categories: give the column as it was in training");
  if (field.type == ColumnType::datetime) {
    if (const auto time = datetime_from(value)) return number<T>(row, *time);
  } else if (field.type == ColumnType::boolean) {
    if (const auto truth = bool_from(value)) return number<T>(row, uint8_t(*truth));
  } else if (const auto whole = int64_from(value)) {
    return number<T>(row, *whole);
  } else if (const auto real = float64_from(value)) {
    return number<T>(row, *real);
  }
  refuse(row, text("expected ", name_of(field.type), ", found the text ", text_of(row)), "correct the value or leave the row out");
}

std::string_view Filler::gap_text(Cell kind) const {
  if (!field.missing_text) return "";
  const MissingText& texts = *field.missing_text;
  const auto& own = kind == Cell::none ? texts.none : kind == Cell::na ? texts.na : texts.nan;
  return own ? *own : texts.nan ? *texts.nan : std::string_view();
}

// How a value reads in an error, or as text where the model takes text.
std::string Filler::text_of(size_t row) const {
  std::string out;
  switch (column.type) {
    case ColumnType::float64: append_float64(out, column.as<double>()[row]); break;
    case ColumnType::float32: append_float32(out, column.as<float>()[row]); break;
    case ColumnType::int64: append_int64(out, column.as<int64_t>()[row]); break;
    case ColumnType::datetime: append_datetime(out, column.as<int64_t>()[row]); break;
    case ColumnType::boolean: out = column.as<uint8_t>()[row] ? "True" : "False"; break;
    case ColumnType::string: out = text("'", column.strings()[row].substr(0, 60), "'"); break;
  }
  return out;
}

// A number, bool or time where the model takes text.
std::string Filler::written(size_t row) const {
  const Written how = field.numbers.value_or(Written::text);
  if (how == Written::text) return text_of(row);
  if (how == Written::digits && column.type == ColumnType::int64) return text_of(row);
  if (how == Written::digits && column.type == ColumnType::boolean) return column.as<uint8_t>()[row] ? "1" : "0";
  const bool digits = how == Written::digits;
  refuse(row, text(text_of(row), " is ", name_of(column.type), ", and the model takes ", digits ? "text, whole numbers and bools" : "text"),
         text("to the library it is none of the categories: give the column as ", digits ? "it was in training" : "text, written as in training"));
}

void Filler::texts(std::string* out, size_t stride) const {
  const auto* known = std::get_if<std::vector<std::string>>(&field.categories);
  std::unordered_set<std::string_view> set;
  if (known && field.unknown == Unknown::refuse) set.insert(known->begin(), known->end());
  const bool number_column = is_floating(column.type);
  for (size_t row = 0; row < column.size(); ++row) {
    std::string& cell = out[row * stride];
    const bool nan = number_column && (column.type == ColumnType::float64 ? std::isnan(column.as<double>()[row]) : std::isnan(column.as<float>()[row]));
    if (column.missing(row) || nan) {
      pass_gap(row, true);
      cell = gap_text(column.cell(row));
      continue;
    }
    if (column.type == ColumnType::string) cell = column.strings()[row];
    else cell = written(row);
    if (!set.empty() && !set.contains(cell))
      refuse(row, text("'", std::string_view(cell).substr(0, 60), "' is none of the ", set.size(), " known values, and the schema refuses unknown ones", suggestion(cell, *known)),
             about_unknown);
    if (field.missing_text && !cell.empty() && (cell == field.missing_text->nan || cell == field.missing_text->none || cell == field.missing_text->na))
      refuse(row, "the text is one that the model keeps for missing values", "convert the model again with other reserved texts");
  }
}

}  // namespace

void fill(const Tensor& tensor, size_t k, size_t width, const Field& field, const Column& column, int64_t first_row) {
  // Nanoseconds since 1970 are no measure that a model learned as a number.
  if (column.type == ColumnType::datetime && is_floating(field.type))
    throw Error(Code::bad_data, text("column '", column.name, "' holds dates, the model takes numbers (", name_of(field.type), ")"),
                "if it was fitted on dates, convert it with an example of its table");
  Filler filler{field, column, first_row};
  ONWARD_CHECK(column.size() * width == size_t(tensor.size()));
  if (tensor.type() == DataType::str) return filler.texts(tensor.data<std::string>() + k, width);
  filler.prepare();
  const bool known = for_type<column_elements>(tensor.type(), [&]<class T>() { filler.numbers(tensor.data<T>() + k, width); });
  if (!known) fail(Code::bad_schema, "input '", field.name, "' has element type ", name_of(tensor.type()), ", which no column of a table can fill");
}

}  // namespace onward
