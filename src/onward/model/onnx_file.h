// ONNX protobuf files: models and single values, in and out. Written against the wire format of onnx.proto (IR 3 to 14); no
// protobuf library, no 2 GiB limit, tensors of a mapped file stay where they are.
#pragma once
#include "onward/base/file.h"
#include "onward/model/graph.h"

namespace onward {

// Not kept: training information, device configurations, quantisation annotations, dimension denotations, the notes on single
// tensors and attributes. Sparse initializers become dense.
struct ReadLimits {
  int depth = 64;                                        // of nested graphs, types and optionals
  uint64_t dense_bytes = uint64_t{1} << 28;              // that sparse initializers may become, all together
};
inline constexpr int64_t newest_ir_version = 14;

// `owner` keeps `bytes` alive: raw tensor data is viewed, not copied, where alignment and layout allow. `folder` is where external
// data may lie (only inside it; "" refuses external data). Throws Error{io, bad_file,
// bad_model, unsupported_operator, limit_size, limit_memory}; memory taken is bounded by a multiple of the file's size.
Model read_model(std::string_view bytes, std::shared_ptr<const void> owner = {}, const std::string& folder = {}, const ReadLimits& = {});
Model load_model(const std::string& path, const ReadLimits& = {});

// Deterministic: reading and writing again gives the same bytes.
std::string write_model(const Model& model);
void save_model(const Model& model, const std::string& path);          // streamed and atomic

// Single values as the official test suite stores them.
enum class ValueProto { tensor, sequence, optional };
Value read_value(std::string_view bytes, ValueProto kind);
ValueProto guess_value_proto(std::string_view bytes);                  // from the fields that are present
std::string write_value(const Value& value, bool as_optional = false); // TensorProto or SequenceProto; OptionalProto where asked and for an empty Value

}  // namespace onward
