#include "onward/validate/realistic_inputs.h"

#include <cmath>
#include <numbers>

namespace onward {

RealisticInputs::RealisticInputs(const Session& session, const Graph& as_written) : session_(session), compared_(compared_constants(as_written)) {
  if (session.model().metadata.contains(std::string(schema_key)))
    for (const Field& field : schema_of(session.model()).inputs) fields_[field.name] = field;
}

NamedValues RealisticInputs::next(int64_t rows) {
  NamedValues made = made_up_inputs(session_, rows);
  for (auto& [name, value] : made) {
    Field field = fields_.contains(name) ? fields_[name] : Field{};
    field.name = name;
    fill(field, *value.tensor());
  }
  return made;
}

void RealisticInputs::fill(const Field& field, const Tensor& tensor) {
  const int64_t columns = tensor.rank() > 0 && tensor.dims()[0] > 0 ? tensor.size() / tensor.dims()[0] : 1;
  const bool differ = columns == int64_t(field.columns.size());
  std::vector<Draw> draws;
  for (int64_t c = 0; c < (tensor.rank() == 2 ? columns : 1); ++c) draws.push_back(draw_of(differ ? field.columns[size_t(c)] : field, {field.name, c}, tensor.rank() == 2));
  if (tensor.type() == DataType::str)
    for (int64_t i = 0; i < tensor.size(); ++i) tensor.data<std::string>()[i] = word(draws[size_t(i) % draws.size()]);
  for_type<f32 | f64 | i32 | i64>(tensor.type(), [&]<class T>() {
    for (int64_t i = 0; i < tensor.size(); ++i)
      if (const auto x = number(draws[size_t(i) % draws.size()], std::is_integral_v<T>)) tensor.data<T>()[i] = T(*x);
  });
}

RealisticInputs::Draw RealisticInputs::draw_of(const Field& field, const ComparedConstants::Column& column, bool may_be_compared) const {
  Draw draw{.range = field.range};
  if (auto* known = std::get_if<std::vector<int64_t>>(&field.categories)) draw.values = {known->begin(), known->end()};
  if (auto* known = std::get_if<std::vector<double>>(&field.categories)) draw.values = *known;
  if (auto* known = std::get_if<std::vector<std::string>>(&field.categories)) draw.words = *known;
  if (!may_be_compared) return draw;
  const auto take = [&](const auto& from, auto& into) {
    if (const auto it = from.find(column); into.empty() && it != from.end()) into = it->second;
  };
  take(compared_.values, draw.values), take(compared_.thresholds, draw.thresholds), take(compared_.words, draw.words);
  return draw;
}

std::string RealisticInputs::word(const Draw& draw) {
  constexpr double made_up_words = 7;
  return draw.words.empty() ? text("text ", size_t(uniform() * made_up_words)) : draw.words[size_t(uniform() * double(draw.words.size()))];
}

std::optional<double> RealisticInputs::number(const Draw& draw, bool whole) {
  if (!draw.values.empty()) return draw.values[size_t(uniform() * double(draw.values.size()))];
  if (!draw.thresholds.empty()) {
    // Between two neighbours, or beyond the ends by the mean gap.
    const std::vector<double>& t = draw.thresholds;
    const size_t at = size_t(uniform() * double(t.size() + 1));
    const double gap = t.size() > 1 ? (t.back() - t.front()) / double(t.size()) : 1;
    const double low = at == 0 ? t.front() - gap : t[at - 1], high = at == t.size() ? t.back() + gap : t[at];
    return low + (high - low) * uniform();
  }
  if (draw.range && std::isfinite(draw.range->min) && std::isfinite(draw.range->max)) return draw.range->min + (draw.range->max - draw.range->min) * uniform();
  if (whole) return std::nullopt;
  return std::sqrt(-2 * std::log(1 - uniform())) * std::cos(2 * std::numbers::pi * uniform());
}

}  // namespace onward
