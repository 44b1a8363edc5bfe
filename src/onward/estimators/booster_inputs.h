// What stands between a table and the trees of a booster: the codes of categories, and values that mean something else than themselves.
#pragma once
#include "onward/estimators/fields.h"
#include "onward/estimators/tree_ensemble.h"

namespace onward {

// The categories that training met in each column, in the order of their codes. Empty: the column holds numbers.
using ColumnCategories = std::vector<std::optional<CategoryList>>;

// All columns as doubles, categories as their codes; an unknown one is NaN.
Expr with_codes(const Frame& x, const ColumnCategories&, Unknown unknown);

// `value`(column) in the columns of `which`, the column itself elsewhere.
Expr replaced_where(Expr x, const std::vector<bool>& which, const std::function<Expr(Expr)>& value);

// Children after their parents, and no nodes that the root does not reach. Throws Error{bad_file} for trees that are none.
Tree in_order(Tree);

// Feature names as a library gives them to columns that have none say nothing.
std::vector<std::string> real_names(std::vector<std::string> names, std::string_view made_up);

// A booster's class: it is fitted by its library, from files, and what fitting leaves is one model.
template <class M>
Definition from_files(std::string_view name) {
  Definition d = reads<M>(name, {.cases = {}});
  d.may_be_stateless = true;
  return d;
}

}  // namespace onward
