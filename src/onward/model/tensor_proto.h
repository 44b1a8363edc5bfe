// TensorProto: the stored form of one tensor.
#pragma once
#include <memory>

#include "onward/model/graph.h"
#include "onward/model/wire.h"

namespace onward {

// Where the bytes come from while a file is read.
struct ReadContext {
  const char* file = nullptr;                             // start, for offsets in errors
  std::shared_ptr<const void> owner;                      // keeps the bytes alive; without it data is copied
  std::string folder;                                     // of external data; empty: none allowed
  int depth_left = 64;
  std::map<std::string, MappedFile> external = {};        // files opened so far
  uint64_t dense_left = uint64_t{1} << 32;                // bytes that sparse tensors may still become
};

Tensor read_tensor(std::string_view bytes, ReadContext& context, std::string* name = nullptr);
SparseTensor read_sparse(std::string_view bytes, ReadContext& context, std::string* name = nullptr);
void write_tensor(WireWriter& w, const Tensor& tensor, std::string_view name = {});
std::string text_of(std::string_view bytes);              // a string field; throws Error{bad_file} unless UTF-8

}  // namespace onward
