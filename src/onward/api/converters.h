// What stands behind the handles of converters, and the registry that a conversion looks them up in.
#pragma once
#include <deque>

#include "onward/api/graph_handle.h"
#include "onward/base/suggest.h"
#include "onward/estimators/fields.h"

struct onward_parts {
  std::map<std::string, onward_expr, std::less<>> values;
  onward_value classes;
};

struct onward_fitted {
  onward::Fitted fitted;
  onward_conversion* conversion;                         // keeps what is asked of it
};

// One call of a converter.
struct onward_conversion {
  onward_conversion(const onward::Frame& x, std::shared_ptr<const onward::CustomOperators> operators) : columns(x), graph{nullptr, &x.graph(), std::move(operators)} {}
  onward::Frame columns;
  onward_graph graph;
  std::deque<onward_fitted> parts;                       // they and what follows live as long as the conversion
  std::deque<std::string> texts;
  std::deque<onward_value> values;
  std::map<std::string, onward::Expr, std::less<>> given;
  onward::Frame given_columns;
  onward::Tensor classes;

  const onward_fitted* part(onward::Fitted fitted) { return &parts.emplace_back(onward_fitted{std::move(fitted), this}); }
  void give(const std::string& name, onward::Expr value);
  onward::Outputs outputs() const;
};

namespace onward::api {

std::shared_ptr<const Registry> registry_with(const std::map<std::string, std::shared_ptr<const ConverterFunctions>>& converters,
                                              const std::shared_ptr<const CustomOperators>& operators);

}  // namespace onward::api
