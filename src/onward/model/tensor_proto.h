// TensorProto: the stored form of one tensor.
#pragma once
#include <memory>

#include "onward/model/onnx_file.h"
#include "onward/model/wire.h"

namespace onward {

// What one reading of a file shares: where the bytes come from, and what it may still take.
struct ReadContext {
  ReadContext(std::string_view bytes, std::shared_ptr<const void> owner, std::string folder, const ReadLimits& limits)
      : file(bytes.data()), owner(std::move(owner)), folder(std::move(folder)), depth_left(limits.depth), dense_left(limits.dense_bytes),
        objects_left((uint64_t{64} << 20) + 32 * bytes.size()) {}

  // Every object made from a few bytes is counted: two bytes of a hostile file may ask for a node, which takes 300.
  void charge(uint64_t bytes) {
    if (bytes > objects_left) fail(Code::limit_size, "the file describes far more objects than its size allows in a real model");
    objects_left -= bytes;
  }

  const char* file;                                       // start, for offsets in errors
  std::shared_ptr<const void> owner;                      // keeps the bytes alive; without it data is copied
  std::string folder;                                     // of external data; empty: none allowed
  int depth_left;
  uint64_t dense_left;                                    // bytes that sparse tensors may still become
  uint64_t objects_left;
  ExternalFiles external = {};                            // files opened so far
};

// Where a tensor's bytes lie outside the model's file: the entries of TensorProto.external_data.
using ExternalData = std::map<std::string, std::string, std::less<>>;
// Sets `owner` to what keeps the bytes alive. Throws Error{bad_model} for paths that leave the model's folder, by links too.
std::string_view external_bytes(const ExternalData& given, ReadContext& context, std::shared_ptr<const void>& owner);

std::pair<std::string, std::string> read_entry(const WireField& field, ReadContext& context);   // StringStringEntryProto
DataType element_type(uint64_t number);                  // throws for numbers that are in no standard, or in one but not read
Tensor read_tensor(std::string_view bytes, ReadContext& context, std::string* name = nullptr);
SparseTensor read_sparse(std::string_view bytes, ReadContext& context, std::string* name = nullptr);

// The tensors of a model that do not lie in its file, and where they lie in the one beside it.
struct Aside {
  std::string location;                                   // of that file, from the model's folder
  std::map<std::pair<const void*, size_t>, uint64_t> offsets = {};   // by a tensor's bytes and their number
  const uint64_t* offset_of(const Tensor& tensor) const;  // null where it is in the model's file
};
void write_place(WireWriter& w, const std::string& location, uint64_t offset, uint64_t length);   // of a tensor's bytes in another file
void write_tensor(WireWriter& w, const Tensor& tensor, std::string_view name = {}, const Aside* aside = nullptr);
void write_model(WireWriter& w, const Model& model, const Aside* aside = nullptr);

}  // namespace onward
