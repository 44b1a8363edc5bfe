// TypeProto and ValueInfoProto: declared types, and the names that carry them.
#pragma once
#include "onward/model/tensor_proto.h"

namespace onward {

// One level of nesting, given back at the end of the scope.
class Level {
 public:
  explicit Level(ReadContext& context) : context_(context) {
    if (--context.depth_left < 0) fail(Code::limit_size, "graphs, types or optional values are nested too deeply");
  }
  ~Level() { ++context_.depth_left; }
  Level(const Level&) = delete;

 private:
  ReadContext& context_;
};

TypeInfo read_type(std::string_view bytes, ReadContext& context);
ValueInfo read_value_info(std::string_view bytes, ReadContext& context);
void write_type(WireWriter& w, const TypeInfo& type);
void write_value_info(WireWriter& w, int field, const ValueInfo& value);
void write_text(WireWriter& w, int field, std::string_view s);                           // left out where empty
void write_entries(WireWriter& w, int field, const std::map<std::string, std::string>& all);

}  // namespace onward
