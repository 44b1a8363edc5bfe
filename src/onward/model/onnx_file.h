// ONNX protobuf files: models and single values, in and out. Written against the wire format of onnx.proto (IR 3 to 14); no
// protobuf library, no 2 GiB limit, tensors of a mapped file stay where they are.
#pragma once
#include "onward/base/file.h"
#include "onward/model/graph.h"

namespace onward {

struct Aside;

// Not kept: training information, device configurations, quantisation annotations, dimension denotations, the notes on single
// tensors and attributes. Sparse initializers become dense.
struct ReadLimits {
  int depth = 64;                                        // of nested graphs, types and optionals
  uint64_t dense_bytes = uint64_t{1} << 28;              // that sparse initializers may become, all together
};
inline constexpr int64_t newest_ir_version = 14;

// Files of external data by the location that a model gives them.
using ExternalFiles = std::map<std::string, MappedFile>;

// `owner` keeps `bytes` alive: raw tensor data is viewed, not copied, where alignment and layout allow. `folder` is where external
// data may lie (only inside it; "" refuses those that are not among `files`). Throws Error{io, bad_file,
// bad_model, unsupported_operator, limit_size, limit_memory}; memory taken is bounded by a multiple of the file's size.
Model read_model(std::string_view bytes, std::shared_ptr<const void> owner = {}, const std::string& folder = {}, const ReadLimits& = {}, ExternalFiles files = {});
Model load_model(const std::string& path, const ReadLimits& = {});

// Deterministic: reading and writing again gives the same bytes.
std::string write_model(const Model& model);

// Protobuf libraries read no file of more than 2 GiB.
inline constexpr uint64_t protobuf_limit = (uint64_t{1} << 31) - 1;

// A model that was written aside, streamed, to be loaded from there before anyone sees it. Where its file would be larger than `most`, the
// large tensors go to a second file: PATH.data. What was not committed leaves no trace. A device or pipe is written at the end, at once.
class ModelFile {
 public:
  ModelFile(const Model& model, const std::string& path, uint64_t most = protobuf_limit);   // path "": only in memory
  std::string_view bytes() const { return content_.bytes; }               // of the model's own file
  uint64_t data_bytes() const { return data_ ? data_->size() : 0; }      // of the second
  Model read() const;                                    // views what was written
  void commit();                                         // the second file first: a model that is there is whole

 private:
  void write(const Model& model, Aside* aside);
  std::string path_;
  std::unique_ptr<FileWriter> file_, data_;              // none in memory
  MappedFile content_, data_content_;
};
void save_model(const Model& model, const std::string& path);

// Single values as the official test suite stores them.
enum class ValueProto { tensor, sequence, optional };
Value read_value(std::string_view bytes, ValueProto kind);
ValueProto guess_value_proto(std::string_view bytes);                  // from the fields that are present
std::string write_value(const Value& value, bool as_optional = false); // TensorProto or SequenceProto; OptionalProto where asked and for an empty Value

}  // namespace onward
