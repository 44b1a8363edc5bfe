#include "onward/formats/flatbuffer.h"

#include <cstring>

#include "onward/formats/numpy_values.h"

namespace onward::formats {
namespace {

using plain::Kind;
using plain::Value;
using Is = FlatField::Is;

class Reader {
 public:
  Reader(Arena& arena, std::string_view bytes) : arena_(arena), bytes_(bytes) {}

  Value root(const FlatTable& of) { return table(follow(0), of); }

 private:
  template <class T>
  T number(size_t at) const {
    if (at > bytes_.size() || sizeof(T) > bytes_.size() - at) fail(Code::bad_file, "the flatbuffer ends before byte ", at, " of it");
    T value;
    std::memcpy(&value, bytes_.data() + at, sizeof value);
    return value;
  }
  // An offset counts from where it stands.
  size_t follow(size_t at) const { return at + number<uint32_t>(at); }

  Value table(size_t at, const FlatTable& of) {
    const int64_t fields_at = int64_t(at) - number<int32_t>(at);
    if (fields_at < 0) fail(Code::bad_file, "the flatbuffer's table at byte ", at, " lies about its fields");
    const auto fields = size_t(fields_at), end = fields + number<uint16_t>(fields);
    Value made = plain::sequence(arena_, Kind::dict);
    for (const FlatField& f : of.fields) {
      const size_t entry = fields + 4 + 2 * size_t(f.slot);
      const uint16_t offset = entry + 2 <= end ? number<uint16_t>(entry) : 0;
      if (offset == 0) continue;  // left out: its default
      made.sequence->push(arena_, plain::text(arena_, f.name));
      made.sequence->push(arena_, value(at + offset, f));
    }
    return made;
  }

  Value value(size_t at, const FlatField& f) {
    switch (f.is) {
      case Is::boolean:
        return plain::boolean(number<uint8_t>(at) != 0);
      case Is::i8:
        return plain::integer(number<int8_t>(at));
      case Is::i32:
        return plain::integer(number<int32_t>(at));
      case Is::f32:
        return plain::real(double{number<float>(at)});
      case Is::f64:
        return plain::real(number<double>(at));
      case Is::text:
        return text(follow(at));
      case Is::numbers:
        return numbers(follow(at), f);
      case Is::table:
        return table(follow(at), *f.of);
      case Is::texts:
      case Is::tables:
        return list(follow(at), f);
    }
    return {};
  }

  // The bytes of a vector: its length, then as many items of `size` bytes.
  std::string_view items(size_t at, size_t size) const {
    const uint64_t n = number<uint32_t>(at);
    if (n * size > bytes_.size() - at - 4)
      fail(Code::bad_file, "the flatbuffer's vector at byte ", at, " has ", n, " items, beyond its end");
    return bytes_.substr(at + 4, n * size);
  }
  Value text(size_t at) { return plain::text(arena_, items(at, 1)); }
  Value numbers(size_t at, const FlatField& f) {
    plain::NdArray a;
    a.type = f.items;
    a.bytes = items(at, f.items->size * size_t(f.width));
    auto* shape = arena_.array<int64_t>(2);
    shape[0] = int64_t(a.bytes.size() / (f.items->size * size_t(f.width))), shape[1] = f.width;
    a.shape = {shape, f.width == 1 ? 1u : 2u};
    return array_value(arena_, a);
  }
  Value list(size_t at, const FlatField& f) {
    const size_t n = items(at, 4).size() / 4;
    Value made = plain::sequence(arena_, Kind::list);
    for (size_t i = 0; i < n; ++i) {
      const size_t item = follow(at + 4 + 4 * i);
      made.sequence->push(arena_, f.is == Is::texts ? text(item) : table(item, *f.of));
    }
    return made;
  }

  Arena& arena_;
  std::string_view bytes_;
};

}  // namespace

Value read_flatbuffer(Arena& arena, std::string_view bytes, const FlatTable& root) { return Reader(arena, bytes).root(root); }

}  // namespace onward::formats
