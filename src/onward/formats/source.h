// What a file is, by its first bytes; and a fitted-model file of any format as an estimator.
#pragma once
#include "onward/base/file.h"
#include "onward/estimators/convert.h"
#include "onward/estimators/reading.h"

namespace onward::formats {

enum class FileKind { onnx, fitted, other };             // other: perhaps a table
FileKind kind_of(std::string_view bytes);

// Whoever moves the file in lets it go as soon as nothing needs it. All that stands in the way is in `problems`. Throws Error{bad_file, unsupported_format, limit_…} where nothing can be read.
ReadModel read_source(MappedFile file, const Registry& registry, bool own_ops);

// The ONNX model of a fitted model's bytes, with the hash of the bytes in its schema. Throws Error with every problem. `warnings`: of a
// file by a library that is newer than any this release knows.
Model convert_source(MappedFile file, ConvertOptions options = {}, std::vector<std::string>* warnings = nullptr);
Model convert_file(const std::string& path, ConvertOptions options = {});    // errors name the path

}  // namespace onward::formats
