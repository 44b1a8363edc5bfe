// The schema that a table itself shows: its columns' types, gaps, ranges and, where they are few, their texts.
#pragma once
#include "onward/data/open_table.h"

namespace onward {

inline constexpr size_t most_categories = 100;           // of a column of text; more are no categories

// Reads the table to its end, in bounded memory.
Schema schema_of(TableReader& table);

}  // namespace onward
