// Pickle and joblib bytes -> plain values. Executes nothing: a class is a name, a call is a record of its arguments.
#pragma once
#include "onward/estimators/plain.h"
namespace onward::formats {

struct Limits {
  size_t memory = size_t{64} << 20;        // arena bytes beside ...
  size_t memory_per_byte = 32;             // ... this many for each byte of the file
  size_t decompressed = size_t{32} << 30;
  int nesting = 16;                        // pickles inside joblib's object arrays
};

plain::Document read_pickle(std::string_view bytes, std::shared_ptr<const void> owner, const Limits& = {});

// `onward inspect --opcodes`, the fuzzer's dictionary and the documentation are made from the machine's own table.
struct OpcodeRow { uint8_t code; const char* name; };
std::vector<OpcodeRow> opcode_table();

}  // namespace onward::formats
