#include <cmath>

#include "onward/validate/table_session.h"

namespace onward {
namespace {

// Numbers between 0 and 1 that spread evenly however many are taken.
double spread(int64_t i) {
  const double x = 0.5 + double(i) * 0.618033988749895;
  return x - std::floor(x);
}

Range range_of(const Field& field) {
  if (field.range && std::isfinite(field.range->min) && std::isfinite(field.range->max)) return *field.range;
  return {0, 1};
}

void fill_numbers(const Tensor& tensor, const Field& field) {
  const Range range = range_of(field);
  for_type<every_type - str - complex_types>(tensor.type(), [&]<class T>() {
    for (int64_t i = 0; i < tensor.size(); ++i) {
      double x = range.min + (range.max - range.min) * spread(i);
      if (auto* known = std::get_if<std::vector<int64_t>>(&field.categories); known && !known->empty()) x = double((*known)[size_t(i) % known->size()]);
      if (auto* known = std::get_if<std::vector<double>>(&field.categories); known && !known->empty()) x = (*known)[size_t(i) % known->size()];
      if constexpr (contains(small_ints, type_of<T>)) tensor.data<T>()[i] = T(int64_t(x));
      else tensor.data<T>()[i] = T(x);
    }
  });
}

void fill_texts(const Tensor& tensor, const Field& field) {
  const size_t n = size(field.categories);
  for (int64_t i = 0; i < tensor.size(); ++i) tensor.data<std::string>()[i] = n ? shown(field.categories, size_t(i) % n) : text("text ", i % 7);
}

// What is not declared is 1, but for the first axis, which is that of the rows.
Dims dims_of(const TypeInfo& type, int64_t rows) {
  Dims dims;
  if (!type.shape) return Dims{rows};
  for (size_t axis = 0; axis < type.shape->size(); ++axis) dims.push_back((*type.shape)[axis].size.value_or(axis == 0 ? rows : 1));
  return dims;
}

}  // namespace

NamedValues made_up_inputs(const Session& session, int64_t rows) {
  std::map<std::string, Field> fields;
  if (session.model().metadata.contains(std::string(schema_key)))
    for (const Field& field : schema_of(session.model()).inputs) fields[field.name] = field;
  NamedValues made;
  for (const ValueInfo& input : session.inputs()) {
    if (input.type.kind == TypeInfo::Kind::optional) continue;
    if (input.type.kind != TypeInfo::Kind::tensor)
      throw Error(Code::unsupported_operator, text("input '", input.name, "' is ", shown(input.type), ", for which no values can be made up"), "give inputs");
    const Tensor tensor(input.type.element, dims_of(input.type, rows));
    const Field field = fields.contains(input.name) ? fields[input.name] : Field{.name = input.name};
    if (tensor.type() == DataType::str) fill_texts(tensor, field);
    else fill_numbers(tensor, field);
    made.emplace_back(input.name, tensor);
  }
  return made;
}

}  // namespace onward
