// A model's outputs as a table's columns.
#pragma once
#include <span>
#include <utility>

#include "onward/data/table.h"

namespace onward {

// label · probability_<class> · score or score_<class> · variable or variable_<k> · for others the schema's names for the output's
// columns, else <name>_<k>. Sequences of maps (ZipMap) become a column for each key. Throws Error{bad_data} for an output
// whose first axis is not the rows'.
Table output_table(const Schema& schema, std::span<const std::pair<std::string, Value>> outputs, int64_t rows);

// The names of the columns that an output of this many columns becomes.
std::vector<std::string> output_columns(const Field& field, size_t width);

}  // namespace onward
