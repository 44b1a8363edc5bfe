// What a model takes and gives, by name: types, shapes, categories, and what to do with values that do not fit. Stored as JSON under
// the metadata key `onward.schema`.
#pragma once
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "onward/model/graph.h"

namespace onward {

enum class ColumnType : uint8_t { float64, float32, int64, boolean, string, datetime };   // datetime: int64 nanoseconds since 1970, UTC
inline bool is_floating(ColumnType t) { return t == ColumnType::float64 || t == ColumnType::float32; }
enum class Missing : uint8_t { refuse, impute, nan, category };      // all but refuse hand the gap to the model: as NaN, or as text
enum class Unknown : uint8_t { refuse, ignore, category };           // a value that is none of `categories`
enum class OutOfRange : uint8_t { accept, clip, refuse };            // a number outside `range`; infinity is outside of every finite one
enum class Infinity : uint8_t { accept, refuse };                    // an infinite number, or one that the input's type makes infinite
enum class Written : uint8_t { text, digits, refuse };               // a number or bool where text is expected: digits are of whole numbers, true is 1

std::string_view name_of(ColumnType);                    // "float64", "bool", …: as the JSON says it
std::string_view name_of(Missing);
std::string_view name_of(Unknown);
std::string_view name_of(OutOfRange);
std::string_view name_of(Infinity);
std::string_view name_of(Written);

// The known values of a column or the classes of an output, in the model's order. Booleans are the integers 0 and 1.
using Categories = std::variant<std::monostate, std::vector<std::string>, std::vector<int64_t>, std::vector<double>>;
size_t size(const Categories&);
std::string shown(const Categories&, size_t i);          // "setosa", "3", "1.5"

struct Range {
  double min, max;                                       // either may be infinite
  bool operator==(const Range&) const = default;
};

// String tensors know no gaps. Where a model treats them, these texts stand for them; no real value may be one of them.
// A kind that is absent goes as `nan`, and without that as "".
struct MissingText {
  std::optional<std::string> nan, none, na;              // NaN (and a CSV's empty cell), None, pandas' NA
  bool operator==(const MissingText&) const = default;
};

// One input or output.
struct Field {
  std::string name;
  ColumnType type = ColumnType::float64;
  std::vector<std::optional<int64_t>> shape;             // absent sizes are dynamic
  bool nullable = false;
  Categories categories;                                 // of an input
  std::optional<Range> range;
  Missing missing = Missing::refuse;
  Unknown unknown = Unknown::ignore;
  OutOfRange out_of_range = OutOfRange::accept;
  Infinity infinity = Infinity::accept;
  std::optional<Written> numbers;                        // of an input of text: values known to be numbers, bools or times; absent: text
  bool category_codes = false;                           // a column of categories goes as their places among its own, not as their values
  std::optional<Written> true_false;                     // and the words True and False of a file that knows no types; absent: text
  std::optional<MissingText> missing_text;
  std::vector<std::string> names;                        // of a matrix's columns: features of an input, columns of an output's table
  Categories classes;                                    // of a classifier's output
  DataType element = DataType::none;                     // of the graph's tensor, where it is not the type's own; not stored: schema_of knows it
  std::vector<Field> columns;                            // of a matrix whose columns differ: the name and policies of each, in order
  bool operator==(const Field&) const = default;
};
DataType tensor_type(const Field&);                      // `element`, else what the type says

struct Source {
  std::string library, version, class_name, sha256;      // all may be empty
  bool operator==(const Source&) const = default;
};

struct Schema {
  int64_t schema_version = 1;
  std::vector<Field> inputs, outputs;
  Source source;
  bool operator==(const Schema&) const = default;
};

inline constexpr std::string_view schema_key = "onward.schema";
inline constexpr int64_t newest_schema_version = 1;

// Throws Error{bad_schema} that names the place: "inputs[3].type is 'flot64', expected one of …; did you mean 'float64'".
// Keys that this release does not know are passed over.
Schema read_schema(std::string_view json);
std::string write_schema(const Schema& schema, int indent = -1);      // -1: one line
// From the metadata; without one, from the types of the graph's inputs and outputs. Throws Error{bad_schema} where the two disagree
// or an input is no tensor that a table could fill.
Schema schema_of(const Model& model);
void set_schema(Model& model, const Schema& schema);
// What `given` says of values that do not fit, missing and unknown ones, is kept in the model; types and shapes stay the graph's.
// Throws Error{bad_schema} for an input that the model lacks.
void set_policies(Model& model, const Schema& given);

}  // namespace onward
