// Tables as JSON: one object a line (.jsonl, .ndjson), or one array of objects (.json). Read batch by batch in bounded memory.
#pragma once
#include <memory>

#include "onward/data/byte_source.h"
#include "onward/data/table_stream.h"

namespace onward {

struct JsonOptions {
  int64_t batch_rows = 8192;
  size_t batch_bytes = 8 << 20;
  size_t object_bytes = 8 << 20;                         // a larger object is an error
};

// The columns are the keys of the first batch's objects; a key that appears only later is passed over. Null and absent are gaps.
std::unique_ptr<TableReader> open_json(std::unique_ptr<ByteSource> source, JsonOptions options = {});

// Appends the rows as objects, one a line; each ends with `end`. Gaps, NaN and infinities are null: JSON has no word for them.
void append_json_rows(std::string& out, const Table& table, std::string_view end = "\n");

}  // namespace onward
