#include "onward/validate/sample_rows.h"

#include <cmath>
#include <limits>
#include <random>

namespace onward {
namespace {

int64_t width_of(const Field& f) { return f.shape.size() < 2 ? 1 : f.shape[1].value_or(int64_t(std::max<size_t>(f.names.size(), 1))); }

std::vector<std::string> columns_of(const Field& f) {
  const int64_t k = width_of(f);
  if (f.shape.size() < 2 || k == 1) return {f.name};
  if (int64_t(f.names.size()) == k) return f.names;
  std::vector<std::string> names;
  for (int64_t i = 0; i < k; ++i) names.push_back(text("x", i));
  return names;
}

// The standard says what mt19937_64 gives, not what distributions make of it: so none are used.
class Dice {
 public:
  explicit Dice(uint64_t seed) : engine_(seed) {}
  size_t below(size_t n) { return size_t(engine_() % n); }
  bool one_in(size_t n) { return below(n) == 0; }
  double unit() { return double(engine_() >> 11) * 0x1p-53; }

 private:
  std::mt19937_64 engine_;
};

class Sampler {
 public:
  Sampler(const Field& field, const Column& seen, size_t rows, uint64_t seed) : field_(field), seen_(seen), rows_(rows), dice_(seed) {}

  Column rows(int64_t n) {
    Column out(seen_.name, seen_.type);
    std::vector<size_t> gaps;
    for (int64_t i = 0; i < n; ++i) {
      if (field_.nullable && dice_.one_in(12)) gaps.push_back(size_t(i));
      add(out);
    }
    for (const size_t gap : gaps) out.set_missing(gap);
    return out;
  }

 private:
  void add(Column& out) {
    std::visit([&]<class V>(V& values) {
      if constexpr (std::is_same_v<V, Strings>) values.push_back(some_text());
      else if constexpr (std::is_same_v<V, std::vector<uint8_t>>) values.push_back(uint8_t(dice_.below(2)));
      else values.push_back(typename V::value_type(some_number(out.type)));
    }, out.values);
  }

  std::string some_text() {
    if (field_.unknown != Unknown::refuse && dice_.one_in(20)) return dice_.one_in(3) ? "" : text("unseen ", dice_.below(5));
    const size_t n = size(field_.categories);
    if (n && (rows_ == 0 || dice_.one_in(3))) return shown(field_.categories, dice_.below(n));
    return rows_ ? std::string(seen_.strings()[dice_.below(rows_)]) : text("text ", dice_.below(9));
  }

  double some_number(ColumnType type) {
    const bool whole = type == ColumnType::int64 || type == ColumnType::datetime;
    if (auto* known = std::get_if<std::vector<int64_t>>(&field_.categories); known && !known->empty()) return double((*known)[dice_.below(known->size())]);
    if (auto* known = std::get_if<std::vector<double>>(&field_.categories); known && !known->empty()) return (*known)[dice_.below(known->size())];
    double x = rows_ && !dice_.one_in(4) ? number_seen() : edge_or_random();
    if (!whole && dice_.one_in(6)) x = std::nextafter(x, dice_.one_in(2) ? INFINITY : -INFINITY);
    if (!whole && dice_.one_in(6)) x = double(float(x));
    if (field_.range) x = std::clamp(x, field_.range->min, field_.range->max);
    return whole ? std::nearbyint(std::clamp(x, -9e15, 9e15)) : x;
  }

  double number_seen() {
    double x = 0;
    const size_t row = dice_.below(rows_);
    std::visit([&]<class V>(const V& values) { if constexpr (!std::is_same_v<V, Strings>) x = double(values[row]); }, seen_.values);
    return std::isfinite(x) ? x : 0;
  }

  double edge_or_random() {
    static constexpr double edges[] = {0, -0.0, 1, -1, 0.5, 0.1, 1e-300, 1e6, -1e6, 1e12};
    if (dice_.one_in(4)) return edges[dice_.below(std::size(edges))];
    return (dice_.unit() - 0.5) * std::pow(10, double(dice_.below(5)));
  }

  const Field& field_;
  const Column& seen_;
  size_t rows_;
  Dice dice_;
};

}  // namespace

std::vector<std::string> columns_of(const Schema& schema) {
  std::vector<std::string> names;
  for (const Field& f : schema.inputs)
    for (std::string& name : columns_of(f)) names.push_back(std::move(name));
  return names;
}

void append_sample_rows(Table& table, const Schema& schema, int64_t n, uint64_t seed) {
  const size_t seen = size_t(table.rows);
  for (const Field& f : schema.inputs) {
    const std::vector<std::string> names = columns_of(f);
    for (size_t k = 0; k < names.size(); ++k) {
      const std::string& name = names[k];
      if (!table.find(name)) {
        if (seen) fail(Code::bad_data, "the table has no column '", name, "' to mix anew");
        table.columns.emplace_back(name, f.type);
      }
      Column& column = *std::find_if(table.columns.begin(), table.columns.end(), [&](const Column& c) { return c.name == name; });
      append(column, Sampler(f.columns.size() == names.size() ? f.columns[k] : f, column, seen, seed++).rows(n));
    }
  }
  table.rows += n;
}

}  // namespace onward
