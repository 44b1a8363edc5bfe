#include "onward/formats/boosters.h"

#include <algorithm>

#include "onward/base/byte_reader.h"
#include "onward/formats/booster_json.h"
#include "onward/formats/catboost.h"
#include "onward/formats/lightgbm_text.h"
#include "onward/formats/ubjson.h"

namespace onward::formats {
namespace {

using plain::Kind;
using plain::Value;

constexpr std::string_view blank = " \t\r\n", ubjson_head("{L\0\0\0\0\0\0\0", 9);

std::string_view without_blanks(std::string_view s) { return s.substr(std::min(s.size(), s.find_first_not_of(blank))); }
bool skip(std::string_view& s, std::string_view word) {
  s = without_blanks(s);
  if (!s.starts_with(word)) return false;
  s.remove_prefix(word.size());
  return true;
}

// {"learner": {…}, "version": [3, 2, 0]}, in either order; and {"Config": …, "Model": …} inside pickles.
bool is_xgboost_json(std::string_view s) {
  if (!skip(s, "{")) return false;
  if (skip(s, "\"learner\"") || skip(s, "\"Config\"")) return skip(s, ":") && skip(s, "{");
  if (!skip(s, "\"version\"") || !skip(s, ":") || !skip(s, "[")) return false;
  const size_t end = s.substr(0, 100).find(']');
  if (end == s.npos) return false;
  s.remove_prefix(end + 1);
  return skip(s, ",") && skip(s, "\"learner\"");
}
bool is_xgboost_ubjson(std::string_view s) {
  if (!s.starts_with(ubjson_head)) return false;
  s.remove_prefix(ubjson_head.size());
  return s.starts_with("\7learner") || s.starts_with("\6Config") || s.starts_with("\7version") || s.starts_with("\5Model");
}

// XGBoost's own binary format begins with 136 bytes of parameters, then the objective's name behind its length.
bool is_xgboost_binary(std::string_view s) {
  constexpr size_t parameters = 136;
  if (s.starts_with("CONFIG-offset:") || s.starts_with("bs64\t")) return true;
  if (s.starts_with("binf")) s.remove_prefix(4);
  if (s.size() < parameters + 9) return false;
  const auto length = ByteReader(s.substr(parameters, 8)).little<uint64_t>();
  if (length < 5 || length > 40 || s.size() < parameters + 8 + length) return false;
  const std::string_view name = s.substr(parameters + 8, length);
  const auto usual = [](char c) { return (c >= 'a' && c <= 'z') || c == ':' || c == '_'; };
  return name.find(':') != name.npos && std::all_of(name.begin(), name.end(), usual);
}

Value booster(Arena& arena, std::string_view module, Value state) {
  Value cls, object;
  cls.kind = Kind::global, cls.global = arena.make(plain::Global{module, "Booster"});
  object.kind = Kind::object, object.object = arena.make(plain::Object{cls, plain::sequence(arena, Kind::tuple), state});
  return object;
}

// What a pickle holds is the model beside the settings of its training.
Value model_of(Value read) {
  if (const auto model = read.find("Model"); model && read.find("Config")) return *model;
  return read;
}

}  // namespace

bool looks_like_booster(std::string_view s) {
  return is_xgboost_json(s) || is_xgboost_ubjson(s) || is_xgboost_binary(s) || looks_like_lightgbm(s) || is_catboost(s);
}

plain::Document read_booster(std::string_view bytes, std::shared_ptr<const void> owner, const Limits& limits) {
  if (is_xgboost_binary(bytes))
    throw Error(
        Code::unsupported_format, "XGBoost's old binary format, which XGBoost gave up in 3.1",
        "load it with the XGBoost that wrote it, or with any from 1.0 to 3.0, and save it again: booster.save_model(\"model.json\")");
  if (is_catboost(bytes)) return read_catboost(bytes, std::move(owner), limits);
  auto arena = std::make_shared<Arena>(budget(limits.memory, limits.memory_per_byte, bytes.size()));
  if (looks_like_lightgbm(bytes)) return {std::move(owner), arena, booster(*arena, "lightgbm.basic", read_lightgbm_text(*arena, bytes))};
  const Value read = is_xgboost_ubjson(bytes) ? read_ubjson_values(*arena, bytes) : read_booster_json(*arena, bytes);
  return {std::move(owner), arena, booster(*arena, "xgboost.core", model_of(read))};
}

}  // namespace onward::formats
