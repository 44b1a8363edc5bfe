#include "onward/formats/npy_member.h"

#include "onward/base/byte_reader.h"
#include "onward/formats/numpy_dtype.h"
#include "onward/formats/numpy_values.h"
#include "onward/formats/python_literal.h"

namespace onward::formats {
namespace {

using plain::Kind;
using plain::Value;

// A record: [('left', '<i8'), ('', '|V7'), ...], each field where the last one ended.
plain::DType record(Arena& arena, std::span<const Value> entries) {
  constexpr size_t fields_max = 256;
  if (entries.size() > fields_max) fail(Code::limit_size, "a record dtype has ", entries.size(), " fields");
  plain::DType type{'V'};
  auto* fields = arena.array<plain::Field>(entries.size());
  size_t n = 0;
  for (const Value& entry : entries) {
    const std::span<const Value> e = entry.items();   // name, dtype
    if (e.size() != 2 || !e[0].is(Kind::text) || !e[1].is(Kind::text))
      fail(Code::unsupported_format, "a record holds more than plain fields");
    const plain::DType of = parse_dtype(e[1].str());
    if (of.kind == 'O') fail(Code::unsupported_format, "record field '", e[0].str(), "' holds objects");
    if (!e[0].str().empty()) fields[n++] = {e[0].str(), arena.make(of), type.size};
    if (of.size > (1u << 20) - type.size) fail(Code::limit_size, "a record is larger than a megabyte");
    type.size += of.size;
  }
  type.fields = {fields, n};
  return type;
}

}  // namespace

Value read_npy(Arena& arena, std::string_view bytes) {
  ByteReader in(bytes);
  if (in.take(6) != "\x93NUMPY") fail(Code::bad_file, "this is no .npy file");
  const auto version = in.little<uint8_t>();
  in.take(1);
  if (version < 1 || version > 3) fail(Code::unsupported_format, ".npy version ", int{version});
  const Value header = read_python_literal(arena, in.take(version == 1 ? in.little<uint16_t>() : in.little<uint32_t>()));
  if (header.items().size() > 32) fail(Code::bad_file, "the .npy header has ", header.items().size() / 2, " entries");
  const auto descr = header.find("descr"), shape = header.find("shape"), order = header.find("fortran_order");
  if (!descr || !shape || !order) fail(Code::bad_file, "the .npy header lacks descr, shape or fortran_order");
  Value dtype;
  dtype.kind = Kind::dtype;
  dtype.dtype = arena.make(descr->is(Kind::list) ? record(arena, descr->items()) : parse_dtype(descr->str()));
  plain::NdArray array = described_array(arena, dtype, *shape, order->is(Kind::boolean) && order->boolean);
  set_bytes(array, in.take(in.left()));
  return array_value(arena, array);
}

}  // namespace onward::formats
