// Made-up rows that look for disagreement: values seen in a table mixed anew, and values at the edges of what a schema allows.
#pragma once
#include "onward/data/table.h"

namespace onward {

// The columns that a table for this schema has: the inputs' names, or those of a matrix's columns.
std::vector<std::string> columns_of(const Schema& schema);

// Appends n rows; an empty table gets the schema's columns first. The same seed gives the same rows.
void append_sample_rows(Table& table, const Schema& schema, int64_t n, uint64_t seed);

}  // namespace onward
