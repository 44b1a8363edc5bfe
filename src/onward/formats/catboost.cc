#include "onward/formats/catboost.h"

#include "onward/base/byte_reader.h"
#include "onward/formats/catboost_schema.h"
#include "onward/formats/json_values.h"

namespace onward::formats {
namespace {

using plain::Kind;
using plain::Value;

constexpr std::string_view magic = "CBM1";

void set(Arena& arena, Value& dict, std::string_view key, Value value) {
  dict.sequence->push(arena, plain::text(arena, key));
  dict.sequence->push(arena, value);
}

// Sizes have 32 bits, or these 32 and then 64.
std::string_view sized(ByteReader& in) {
  const auto size = in.little<uint32_t>();
  return in.take(size == UINT32_MAX ? in.little<uint64_t>() : size);
}

Value read_tables(Arena& arena, ByteReader& in) {
  const auto n = in.little<uint32_t>();
  Value tables = plain::sequence(arena, Kind::list);
  for (uint32_t i = 0; i < n; ++i) {
    try {
      tables.sequence->push(arena, read_flatbuffer(arena, sized(in), cbm::ctr_table));
    } catch (Error& e) {
      throw e.within(text("CTR table ", i, " of ", n));
    }
  }
  return tables;
}

// What the file says about its training, in words; two of them are JSON.
Value info_of(Arena& arena, const Value& core) {
  Value info = plain::sequence(arena, Kind::dict);
  const auto pairs = core.find("info");
  if (!pairs) return info;
  for (const Value& pair : pairs->items()) {
    const auto key = pair.find("key"), value = pair.find("value");
    if (!key || !value) continue;
    const bool json = key->str() == "params" || key->str() == "class_params";
    set(arena, info, key->str(), json ? read_json_values(arena, value->str()) : *value);
  }
  return info;
}

bool is_json(std::string_view bytes) {
  const size_t first = bytes.find_first_not_of(" \t\r\n");
  if (first == bytes.npos || bytes[first] != '{') return false;
  const auto says = [&](std::string_view word) { return bytes.find(word) != bytes.npos; };
  return says("\"features_info\"") && says("\"model_info\"") && (says("\"oblivious_trees\"") || says("\"trees\""));
}

Value read_binary(Arena& arena, std::string_view bytes) {
  ByteReader in(bytes);
  if (in.take(magic.size()) != magic) fail(Code::bad_file, "this is no CatBoost model: it does not begin with ", magic);
  const Value core = read_flatbuffer(arena, sized(in), cbm::core);
  Value made = plain::sequence(arena, Kind::dict);
  set(arena, made, "core", core);
  set(arena, made, "model_info", info_of(arena, core));
  if (const auto parts = core.find("parts"))
    for (const Value& part : parts->items()) {
      if (part.str() != "static_provider_v1") break;  // features that no reader of ours takes; where they end is not said
      set(arena, made, "ctr_tables", read_tables(arena, in));
    }
  return made;
}

Value object(Arena& arena, Value model) {
  Value made, cls, state = plain::sequence(arena, Kind::dict);
  set(arena, state, "__model", model);
  cls.kind = Kind::global, cls.global = arena.make(plain::Global{"catboost.core", "CatBoostModel"});
  made.kind = Kind::object, made.object = arena.make(plain::Object{cls, plain::sequence(arena, Kind::tuple), state});
  return made;
}

}  // namespace

bool is_catboost(std::string_view bytes) { return bytes.starts_with(magic) || is_json(bytes); }

plain::Document read_catboost(std::string_view bytes, std::shared_ptr<const void> owner, const Limits& limits) {
  auto arena = std::make_shared<Arena>(budget(limits.memory, limits.memory_per_byte, bytes.size()));
  const Value root = object(*arena, bytes.starts_with(magic) ? read_binary(*arena, bytes) : read_json_values(*arena, bytes));
  return {std::move(owner), arena, root};
}

}  // namespace onward::formats
