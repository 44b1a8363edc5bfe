#include "onward/formats/ubjson.h"

#include "onward/base/byte_reader.h"

namespace onward::formats {
namespace {

using plain::DType;
using plain::Kind;
using plain::Value;

constexpr int depth_max = 100;

// The types of numbers, by their marker. All are big-endian.
const DType* number_type(char marker) {
  static constexpr DType i1{'i', 1, true}, u1{'u', 1, true}, i2{'i', 2, true}, i4{'i', 4, true}, i8{'i', 8, true}, f4{'f', 4, true},
      f8{'f', 8, true};
  switch (marker) {
    case 'i': return &i1;
    case 'U': return &u1;
    case 'I': return &i2;
    case 'l': return &i4;
    case 'L': return &i8;
    case 'd': return &f4;
    case 'D': return &f8;
    default: return nullptr;
  }
}

class Reader {
 public:
  Reader(Arena& arena, std::string_view bytes) : arena_(arena), in_(bytes) {}

  Value whole() {
    const Value v = value(marker(), 0);
    if (in_.left()) bad(in_.left(), " bytes follow the end");
    return v;
  }

 private:
  template <class... Parts>
  [[noreturn]] void bad(const Parts&... parts) const {
    fail(Code::bad_file, "byte ", in_.position(), ": this is no UBJSON: ", parts...);
  }

  char marker() {
    char m = char(in_.little<uint8_t>());
    while (m == 'N') m = char(in_.little<uint8_t>());  // stands for nothing
    return m;
  }
  bool next_is(char m) {
    if (char(in_.peek()) != m || !in_.left()) return false;
    in_.take(1);
    return true;
  }

  std::optional<int64_t> integer(char type) {
    switch (type) {
      case 'i': return in_.big<int8_t>();
      case 'U': return in_.big<uint8_t>();
      case 'I': return in_.big<int16_t>();
      case 'l': return in_.big<int32_t>();
      case 'L': return in_.big<int64_t>();
      default: return {};
    }
  }
  uint64_t length() {
    const auto n = integer(marker());
    if (!n || *n < 0) bad("expected a length");
    return uint64_t(*n);
  }

  Value value(char type, int depth) {
    if (depth > depth_max) fail(Code::limit_size, "UBJSON is nested more than ", depth_max, " levels deep");
    switch (type) {
      case '{': return object(depth);
      case '[': return array(depth);
      case 'S': return plain::text(arena_, in_.take(length()));
      case 'C': return plain::text(arena_, in_.take(1));
      case 'T': return plain::boolean(true);
      case 'F': return plain::boolean(false);
      case 'Z': return Value();
      case 'd': return plain::real(in_.big<float>());
      case 'D': return plain::real(in_.big<double>());
    }
    const auto whole = integer(type);
    if (!whole) bad("a value begins with the byte ", int(uint8_t(type)));
    return plain::integer(*whole);
  }

  // "$T#n": all items are of type T; "#n": each says its own; neither: up to a closing mark.
  struct Head {
    char type = 0;
    std::optional<uint64_t> count;
  };
  Head head() {
    Head h;
    if (next_is('$')) h.type = char(in_.little<uint8_t>());
    if (next_is('#')) h.count = length();
    if (h.type && !h.count) bad("items of one type are not counted");
    if (h.count && *h.count > in_.left()) bad("announces ", *h.count, " items");
    return h;
  }

  Value object(int depth) {
    const Head h = head();
    const Value dict = plain::sequence(arena_, Kind::dict);
    for (uint64_t i = 0; h.count ? i < *h.count : !next_is('}'); ++i) {
      dict.sequence->push(arena_, plain::text(arena_, in_.take(length())));
      dict.sequence->push(arena_, value(h.type ? h.type : marker(), depth + 1));
    }
    return dict;
  }

  Value array(int depth) {
    const Head h = head();
    if (h.type) return numbers(h.type, *h.count);
    const Value list = plain::sequence(arena_, Kind::list);
    for (uint64_t i = 0; h.count ? i < *h.count : !next_is(']'); ++i) list.sequence->push(arena_, value(marker(), depth + 1));
    return list;
  }

  Value numbers(char type, uint64_t count) {
    const DType* dtype = number_type(type);
    if (!dtype) bad("an array of the type ", int(uint8_t(type)));
    auto* shape = arena_.array<int64_t>(1);
    *shape = int64_t(count);
    Value v;
    v.kind = Kind::array;
    v.array = arena_.make(plain::NdArray{dtype, {shape, 1}, false, in_.take(count * dtype->size)});  // count is at most the bytes left
    return v;
  }

  Arena& arena_;
  ByteReader in_;
};

}  // namespace

Value read_ubjson_values(Arena& arena, std::string_view bytes) { return Reader(arena, bytes).whole(); }

}  // namespace onward::formats
