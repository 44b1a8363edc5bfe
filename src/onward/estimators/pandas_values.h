// What fitted estimators keep in objects of pandas: labels, and what a series or a table has for each. pandas 1.3 and newer.
#pragma once
#include "onward/estimators/fields.h"

namespace onward {

// Labels that a file lists one by one, as the keys of a dict.
CategoryList labels_of(Fields&, std::string_view name, std::span<const plain::Value> listed);

struct LabelledNumbers {
  CategoryList labels;
  std::vector<std::string> columns;  // of a DataFrame
  Numbers values;                    // a row for each label; a Series is one column
  int64_t width() const { return values ? values.dim(1) : 0; }
};
// A Series or a DataFrame. What it cannot be read for is a problem, and then there are no values.
LabelledNumbers read_labelled(Fields&, std::string_view name, const plain::Value&);

// A label as pandas writes it into a column's name.
std::string label_name(Fields&, std::string_view name, const plain::Value& label);

// Where a label stands; the first place of several.
std::optional<int64_t> place_of_number(const CategoryList&, double label);

}  // namespace onward
