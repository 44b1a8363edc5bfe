// Which category an item of a column is: the lookup that every encoder begins with.
#pragma once
#include "onward/estimators/fields.h"

namespace onward {

// (batch) int64: the place among the categories; as many as there are for any other item. The column learns its categories from it.
Expr category_of(const Frame& x, int64_t i, const CategoryList& categories);

// What an encoder does with an unknown item, told to the schema.
void tell_unknown(const Frame& x, int64_t i, const CategoryList& categories, Unknown unknown);

// "Paris", "3.0", "True": as Python's str() shows a category in a column's name.
std::string category_name(const CategoryList& categories, int64_t k);

}  // namespace onward
