#include "onward/validate/report.h"

#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "onward/base/version.h"
#include "onward/data/cell_text.h"

namespace onward {
namespace {

using Json = nlohmann::ordered_json;

// JSON knows no infinity.
Json finite(double x) { return std::isfinite(x) ? Json(x) : Json(nullptr); }

Json inputs_of(const Table& table, int64_t row) {
  Json all = Json::object();
  for (const Column& column : table.columns) all[column.name] = shown_cell(column, size_t(row));
  return all;
}

Json output_json(const OutputComparison& o) {
  Json out = {{"name", o.name}, {"exact", o.exact}, {"compared", o.compared}, {"differing", o.differing}};
  if (!o.problem.empty()) out["problem"] = o.problem;
  if (!o.exact) {
    out.update({{"rtol", o.relative}, {"atol", o.absolute}, {"max_abs_error", finite(o.max_absolute)}, {"max_rel_error", finite(o.max_relative)},
                {"mean_abs_error", finite(o.mean_absolute)}});
    Json bins = Json::array();
    for (size_t i = 0; i < o.histogram.size(); ++i)
      if (o.histogram[i]) bins.push_back({{"below", i == 0 ? Json(0) : i + 1 == o.histogram.size() ? Json(nullptr) : Json(std::pow(10.0, OutputComparison::smallest_decade + int(i) - 1))}, {"count", o.histogram[i]}});
    out["errors"] = bins;
  }
  for (const auto& [pair, count] : o.disagreements) out["disagreements"].push_back({{"expected", pair.first}, {"given", pair.second}, {"count", count}});
  return out;
}

std::string spaced(std::string cell, size_t width) { return cell += std::string(cell.size() < width ? width - cell.size() : 1, ' '); }

std::string verdict(const Comparison& c) {
  if (c.ok()) return "the same: labels are equal on every row, numbers lie within the tolerance\n";
  return text("DIFFERENT: ", c.failing_count, " of ", c.rows, " rows\n");
}

}  // namespace

std::string shown_error(double error) {
  if (error == 0) return "0";
  if (!std::isfinite(error)) return "not a number";
  char out[32];
  std::snprintf(out, sizeof out, "%.1e", error);
  return out;
}

std::string shown_cell(const Column& column, size_t row) {
  if (column.missing(row)) return "(missing)";
  std::string out;
  std::visit([&]<class V>(const V& values) {
    if constexpr (std::is_same_v<V, Strings>) out = values[row];
    else if constexpr (std::is_floating_point_v<typename V::value_type>) {
      if (std::isnan(values[row])) out = "(missing)";
      else if constexpr (std::is_same_v<V, std::vector<double>>) append_float64(out, values[row]);
      else append_float32(out, values[row]);
    }
    else if constexpr (std::is_same_v<V, std::vector<uint8_t>>) out = values[row] ? "true" : "false";
    else if (column.type == ColumnType::datetime) append_datetime(out, values[row]);
    else out = text(values[row]);
  }, column.values);
  return out;
}

Json report_json(const Comparison& c, const ReportContext& context) {
  Json worst = Json::array(), outputs = Json::array();
  for (const WorstRow& w : c.worst) {
    Json one = {{"row", w.row}, {"output", w.output}, {"expected", w.expected}, {"given", w.given}, {"error", finite(w.error)}};
    if (context.table) one["inputs"] = inputs_of(*context.table, w.row);
    worst.push_back(one);
  }
  for (const OutputComparison& o : c.outputs) outputs.push_back(output_json(o));
  return {{"schema_version", 1}, {"ok", c.ok()}, {"rows", c.rows}, {"expected_by", c.expected_by}, {"given_by", c.given_by},
          {"mismatched_labels", c.mismatched_labels}, {"max_abs_error", finite(c.max_absolute)}, {"outputs", outputs},
          {"refused", {{"by_both", c.refused_by_both}, {"by_source_alone", c.refused_by_expected}, {"by_model_alone", c.refused_by_given}, {"why", c.why_refused}}},
          {"failing_rows", c.failing_rows}, {"failing_count", c.failing_count}, {"worst", worst},
          {"seconds", {{"source", c.expected_seconds}, {"model", c.given_seconds}}},
          {"environment", {{"onward", version}, {"model", context.model}, {"model_sha256", context.model_sha256}, {"source", context.source},
                           {"source_sha256", context.source_sha256}, {"data", context.data}, {"command", context.command}}}};
}

std::string report_text(const Comparison& c, const ReportContext& context) {
  std::string out = text(c.rows, " rows, compared with ", c.expected_by, "\n\n  ");
  out += spaced("output", 24) + spaced("compared", 12) + spaced("differing", 12) + spaced("largest difference", 21) + "tolerance\n";
  for (const OutputComparison& o : c.outputs) {
    out += "  " + spaced(o.name, 24);
    if (!o.problem.empty()) out += o.problem + "\n";
    else out += spaced(text(o.compared), 12) + spaced(text(o.differing), 12) + (o.exact ? "-                    none: equal or not" : spaced(shown_error(o.max_absolute), 21) + shown_error(o.absolute)) + "\n";
  }
  if (c.refused_by_both + c.refused_by_expected + c.refused_by_given)
    out += text("\n  rows refused by both ", c.refused_by_both, ", by the source alone ", c.refused_by_expected, ", by the model alone ", c.refused_by_given, " (", c.why_refused, ")\n");
  const size_t shown_rows = std::min<size_t>(c.worst.size(), 10);
  if (shown_rows) out += "\n  worst rows (counted from 0)\n";
  for (size_t i = 0; i < shown_rows; ++i) {
    const WorstRow& w = c.worst[i];
    out += text("  row ", w.row, " ", w.output, ": expected ", w.expected, ", given ", w.given, "\n");
    if (!context.table) continue;
    out += "     ";
    for (const Column& column : context.table->columns) out += text(" ", column.name, "=", shown_cell(column, size_t(w.row)));
    out += "\n";
  }
  return out + "\n" + verdict(c);
}

}  // namespace onward
