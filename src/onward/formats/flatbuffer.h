// FlatBuffers -> plain values, by a description of their tables: tables are dicts of the fields that are there, vectors of numbers are
// arrays that view the bytes.
#pragma once
#include "onward/estimators/plain.h"

namespace onward::formats {

struct FlatTable;
struct FlatField {
  enum class Is : uint8_t { boolean, i8, i32, f32, f64, text, numbers, texts, table, tables };
  std::string_view name;
  int slot;                                // the field's place in its table, from 0, in the order of the schema
  Is is;
  const plain::DType* items = nullptr;     // of numbers
  int64_t width = 1;                       // of numbers that come in structs of as many: the array's second dimension
  const FlatTable* of = nullptr;           // of tables
};
struct FlatTable { std::span<const FlatField> fields; };

// Every offset and size is checked against the bytes; the arena bounds what shared parts may unfold to.
plain::Value read_flatbuffer(Arena&, std::string_view bytes, const FlatTable& root);

}  // namespace onward::formats
