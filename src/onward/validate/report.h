// What a comparison found, for people and for scripts.
#pragma once
#include <nlohmann/json_fwd.hpp>

#include "onward/validate/compare.h"

namespace onward {

// What was compared, beside the answers.
struct ReportContext {
  std::string model, source, data;                       // names of files; may be empty
  std::string model_sha256, source_sha256;
  std::string command;                                   // to run it again
  const Table* table = nullptr;                          // the inputs, to show those of the worst rows
};

nlohmann::ordered_json report_json(const Comparison& comparison, const ReportContext& context);
std::string report_text(const Comparison& comparison, const ReportContext& context);      // for a terminal
std::string report_html(const Comparison& comparison, const ReportContext& context);      // one file, no scripts, no network

std::string shown_cell(const Column& column, size_t row);
std::string shown_error(double error);                   // "1.1e-16", "0", "not a number"

}  // namespace onward
