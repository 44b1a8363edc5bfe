// What a model looks like to people and to scripts.
#pragma once
#include <nlohmann/json_fwd.hpp>

#include "onward/model/onnx_file.h"

namespace onward::cli {

std::string shown_size(size_t bytes);                    // "1.2 MB"
size_t weight_bytes(const Graph& graph);                 // of the initializers, those of subgraphs too
// What to say of a file that protobuf's limit split or that is beyond it; empty for nearly every model.
std::string note_on_size(const ModelFile& written, const std::string& path);
std::map<std::string, int64_t> operator_counts(const Graph& graph);    // "ai.onnx.ml TreeEnsemble" -> how many
nlohmann::ordered_json described(const std::vector<ValueInfo>& values);

// Rows of cells in columns that line up.
std::string table_text(const std::vector<std::vector<std::string>>& rows);

}  // namespace onward::cli
