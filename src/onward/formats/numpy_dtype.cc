#include "onward/formats/numpy_dtype.h"

#include <charconv>
#include <cstring>
#include <string>
#include <utility>

#include "onward/base/byte_reader.h"
#include "onward/base/small_floats.h"
#include "onward/base/unicode.h"

namespace onward::formats {
namespace {

using plain::Kind;
using plain::Value;

// The sizes a letter may have; none listed means any.
struct Letter {
  char kind;
  std::string_view sizes;
};
constexpr Letter letters[] = {
    {'f', "\2\4\10\14\20"}, {'i', "\1\2\4\10"}, {'u', "\1\2\4\10"}, {'b', "\1"}, {'c', "\10\20\30\40"},
    {'M', "\10"}, {'m', "\10"}, {'O', "\4\10"}, {'U', ""}, {'S', ""}, {'V', ""},
};

bool fits(char kind, uint32_t size) {
  for (const Letter& letter : letters)
    if (letter.kind == kind)
      return letter.sizes.empty() || (size < 256 && letter.sizes.find(static_cast<char>(size)) != std::string_view::npos);
  return false;
}

template <class T> T load(std::string_view item, bool big_endian) {
  ByteReader in(item);
  return big_endian ? in.big<T>() : in.little<T>();
}

template <class T> Value number(Arena& arena, std::string_view item, bool big_endian) {
  const T v = load<T>(item, big_endian);
  if constexpr (std::is_floating_point_v<T>) return plain::real(v);
  else if (std::cmp_less_equal(v, INT64_MAX)) return plain::integer(static_cast<int64_t>(v));
  else return plain::text(arena, arena.copy(text(v)));   // as all integers beyond 64 bits
}

Value ucs4_text(Arena& arena, std::string_view item, bool big_endian) {
  std::string out;
  for (size_t i = 0; i + 4 <= item.size(); i += 4) {
    const auto c = load<uint32_t>(item.substr(i, 4), big_endian);
    if (!c) break;   // zero-padded
    append_utf8(out, c);
  }
  return plain::text(arena, arena.copy(out));
}

plain::Field field_of(Arena& arena, std::string_view name, const Value& fields, uint32_t record_size) {
  const auto entry = fields.find(name);
  const std::span<const Value> e = entry ? entry->items() : std::span<const Value>();   // dtype, offset
  if (e.size() < 2 || !e[0].is(Kind::dtype) || !e[1].is(Kind::integer)) fail(Code::bad_file, "record field '", name, "' is not described");
  // A copy: what is built onto the field's dtype later must not make it larger than its place.
  const plain::DType* of = arena.make(plain::DType(*e[0].dtype));
  if (!of->fields.empty() || of->kind == 'O') fail(Code::unsupported_format, "record field '", name, "' holds records or objects");
  if (e[1].integer < 0 || e[1].integer > record_size || of->size > record_size - e[1].integer)
    fail(Code::bad_file, "record field '", name, "' lies outside its record");
  return {name, of, static_cast<uint32_t>(e[1].integer)};
}

}  // namespace

plain::DType parse_dtype(std::string_view code) {
  const std::string_view whole = code.substr(0, 40);
  plain::DType type;
  if (!code.empty() && std::string_view("<>|=").find(code[0]) != std::string_view::npos) {
    type.big_endian = code[0] == '>';
    code.remove_prefix(1);
  }
  if (code.empty()) fail(Code::bad_file, "a dtype has no type letter");
  type.kind = code[0];
  if (code.size() > 1 && std::from_chars(code.data() + 1, code.data() + code.size(), type.size).ptr != code.data() + code.size())
    fail(Code::unsupported_format, "arrays of dtype '", whole, "'");
  if (type.kind == 'U') {
    if (type.size > UINT32_MAX / 4) fail(Code::bad_file, "dtype '", whole, "' is too large");
    type.size *= 4;
  }
  if (type.kind == '?') type = {'b', 1};
  if (type.kind == 'O') type.size = 8;
  if (!fits(type.kind, type.size)) fail(Code::unsupported_format, "arrays of dtype '", whole, "'");
  return type;
}

void build_dtype(Arena& arena, plain::DType& type, const Value& state) {
  constexpr size_t fields_max = 256;
  const std::span<const Value> s = state.items();   // version, order, subarray, names, fields, size, alignment, flags
  if (s.size() < 6) return;
  if (s[1].is(Kind::text)) type.big_endian = s[1].str() == ">";
  if (s[3].is(Kind::none)) return;
  const std::span<const Value> names = s[3].items();
  if (type.kind != 'V') fail(Code::bad_file, "a dtype of kind '", type.kind, "' has fields");
  if (names.size() > fields_max || s[4].items().size() > 4 * fields_max)
    fail(Code::limit_size, "a record dtype has ", names.size(), " fields");
  if (!s[5].is(Kind::integer) || s[5].integer < 0 || s[5].integer > 1 << 20) fail(Code::bad_file, "a record dtype has no size");
  type.size = static_cast<uint32_t>(s[5].integer);
  auto* fields = arena.array<plain::Field>(names.size());
  for (size_t i = 0; i < names.size(); ++i) fields[i] = field_of(arena, names[i].str(), s[4], type.size);
  type.fields = {fields, names.size()};
}

Value scalar(Arena& arena, const plain::DType& type, std::string_view item) {
  const bool big = type.big_endian;
  switch (type.kind) {
    case 'b': return plain::boolean(!item.empty() && item[0] != 0);
    case 'f':
      if (type.size == 8) return number<double>(arena, item, big);
      if (type.size == 4) return number<float>(arena, item, big);
      if (type.size == 2) return plain::real(float(std::bit_cast<float16>(load<uint16_t>(item, big))));
      break;
    case 'i':
      if (type.size == 8) return number<int64_t>(arena, item, big);
      if (type.size == 4) return number<int32_t>(arena, item, big);
      if (type.size == 2) return number<int16_t>(arena, item, big);
      if (type.size == 1) return number<int8_t>(arena, item, big);
      break;
    case 'u':
      if (type.size == 8) return number<uint64_t>(arena, item, big);
      if (type.size == 4) return number<uint32_t>(arena, item, big);
      if (type.size == 2) return number<uint16_t>(arena, item, big);
      if (type.size == 1) return number<uint8_t>(arena, item, big);
      break;
    case 'S': return plain::text(arena, item.substr(0, strnlen(item.data(), item.size())), Kind::bytes);
    case 'U': return ucs4_text(arena, item, big);
  }
  return plain::text(arena, item, Kind::bytes);
}

}  // namespace onward::formats
