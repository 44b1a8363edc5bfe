// Transformers of category_encoders and feature_engine: the table that each was fitted on, by the names of its columns, and what the file says
// of some of them.
#pragma once
#include "onward/estimators/fields.h"

namespace onward {

struct FittedTable {
  static constexpr bool takes_missing = true, takes_infinity = true;  // in the columns that it leaves alone; each says what it refuses
  std::vector<std::string> inputs;
  std::vector<int64_t> variables;  // of feature_engine: variables_, by place

 protected:
  void read_inputs(Fields& f);
  void read_variables(Fields& f);
  std::optional<int64_t> place_of_column(Fields& f, std::string_view field, const plain::Value& label) const;
  std::vector<int64_t> places_of_columns(Fields& f, std::string_view field) const;  // of a list of them

  // A field such as encoder_dict_: {column: value}.
  struct Said {
    int64_t column;
    std::string place;
    plain::Value value;
  };
  std::string place_said(std::string_view field, int64_t column) const;  // for a message
  std::vector<Said> said_of_columns(Fields& f, std::string_view field) const;
  std::vector<Said> said_of_columns(Fields& f, std::string_view field, const plain::Value& dict) const;
  // A number for each variable; `otherwise` for those that the field does not name.
  Numbers number_of_variables(Fields& f, std::string_view field, std::optional<double> otherwise = {}) const;

  Frame table(const Frame& x) const;                                               // as the library names its columns
  // The same, of which the library raises for gaps and infinities in some columns.
  Frame table(const Frame& x, const std::vector<int64_t>& finite) const;
  static Frame with(const Frame& table, const std::map<int64_t, Frame>& changed);  // an empty frame takes a column away
  // Other values in the places of some columns: a block as wide as there are of them.
  static Frame with_block(const Frame& table, const std::vector<int64_t>& places, Expr values, Frame::Keeps keeps);
  static Expr is_missing(const Frame& x, int64_t i);  // NaN and None alike, as pandas takes them
  std::vector<std::string> names_of_variables(std::string_view suffix) const;
};

}  // namespace onward
