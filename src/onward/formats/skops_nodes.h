// The nodes of a skops schema, each turned into the value it stands for.
#pragma once
#include <unordered_map>

#include "onward/estimators/plain.h"
#include "onward/formats/zip.h"

namespace onward::formats {

class SkopsNodes {
 public:
  SkopsNodes(Arena& arena, ZipReader& files) : arena_(arena), files_(files) {}

  Arena& arena() { return arena_; }
  plain::Value value(const plain::Value& node);               // of the node and all below it
  std::span<const plain::Value> values(const plain::Value& list);
  std::string_view file_of(const plain::Value& node);         // the archive's member that the node names
  plain::Value cached(const plain::Value& node) const;        // an earlier node with the same id

 private:
  Arena& arena_;
  ZipReader& files_;
  std::unordered_map<int64_t, plain::Value> by_id_;
  int depth_ = 0;
};

}  // namespace onward::formats
