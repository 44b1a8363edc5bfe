// Pickle and joblib bytes -> plain values. Runs nothing: a class is a name, a call is a record of its arguments.
#pragma once
#include <cstdint>
#include <memory>
#include <vector>

#include "onward/estimators/plain.h"
#include "onward/formats/limits.h"

namespace onward::formats {

plain::Document read_pickle(std::string_view bytes, std::shared_ptr<const void> owner, const Limits& = {});

// The machine's own table, for documents, tests and the fuzzer's dictionary.
struct OpcodeRow {
  uint8_t code;
  const char* name;
};
std::vector<OpcodeRow> opcode_table();

}  // namespace onward::formats
