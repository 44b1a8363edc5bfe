#include "onward/model/wire.h"

#include <algorithm>

#include "onward/base/error.h"
#include "onward/base/large_pages.h"
#include "onward/base/unicode.h"

namespace onward {

void WireField::is(uint32_t expected, const char* what) const {
  if (wire != expected) fail(Code::bad_file, "byte ", at, ": field ", number, " is stored as wire type ", wire, ", expected ", what);
}

std::string WireField::text() const {
  if (!is_utf8(body())) fail(Code::bad_file, "byte ", at, ": the text of field ", number, " is not valid UTF-8");
  return std::string(bytes);
}

float WireField::real() const {
  is(5, "four bytes");
  float v;
  std::memcpy(&v, bytes.data(), sizeof v);
  return v;
}

bool WireReader::next(WireField& field) {
  if (rest_.empty()) return false;
  const auto at = uint64_t(rest_.data() - file_);
  const uint64_t key = varint();
  if (key >> 3 == 0 || key >> 3 > 0x1FFFFFFF) fail(Code::bad_file, "byte ", at, ": ", key >> 3, " is no protobuf field number");
  field = {uint32_t(key >> 3), uint32_t(key & 7), 0, {}, at};
  switch (field.wire) {
    case 0: field.value = varint(); break;
    case 1: field.bytes = take(8); break;
    case 2: field.bytes = take(varint()); break;
    case 5: field.bytes = take(4); break;
    default: fail(Code::bad_file, "byte ", at, ": ", field.wire, " is no protobuf wire type");
  }
  return true;
}

uint64_t WireReader::varint() {
  uint64_t value = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    const auto byte = uint8_t(take(1)[0]);
    value |= uint64_t(byte & 127) << shift;
    if (byte < 128) return value;
  }
  fail(Code::bad_file, "byte ", rest_.data() - file_, ": an integer is longer than 64 bits");
}

std::string_view WireReader::take(uint64_t n) {
  if (n > rest_.size()) fail(Code::bad_file, "byte ", rest_.data() - file_, ": a field of ", n, " bytes, but ", rest_.size(), " are left");
  const auto out = rest_.substr(0, n);
  rest_.remove_prefix(n);
  return out;
}

// A number from ten bytes or more; 0 bytes taken: it is longer than 64 bits. Most are of one to three bytes, and like those before them.
[[gnu::always_inline]] static inline size_t short_varint(const char* bytes, uint64_t& value) {
  const uint64_t a = uint8_t(bytes[0]), b = uint8_t(bytes[1]), c = uint8_t(bytes[2]);
  if (a < 128) return value = a, 1;
  if (b < 128) return value = (a & 127) | b << 7, 2;
  if (c < 128) return value = (a & 127) | (b & 127) << 7 | c << 14, 3;
  size_t next = 0;
  uint8_t byte = 128;
  value = 0;
  for (int shift = 0; shift < 70 && byte >= 128; shift += 7) byte = uint8_t(bytes[next++]), value |= uint64_t(byte & 127) << shift;
  return byte < 128 ? next : 0;
}

// Lists that come in many parts grow as vectors do.
template <class T> static void make_room(std::vector<T>& into, size_t more) {
  if (more > into.size()) reserve_in_large_pages(into, into.size() + more);
}

// Items that end with the only byte below 128 that they have, so that their count is known before; their tags are another.
static size_t ends_of_varints(std::string_view bytes) {
  size_t count = 0, at = 0;
  for (uint64_t eight; bytes.size() - at >= 8; at += 8) std::memcpy(&eight, bytes.data() + at, 8), count += size_t(((~eight & 0x8080808080808080) >> 7) * 0x0101010101010101 >> 56);
  for (; at < bytes.size(); ++at) count += int8_t(bytes[at]) >= 0;
  return count;
}

template <class Int> void WireReader::take_integers(uint32_t number, std::vector<Int>& into) {
  const char tag = char(number << 3);                    // wire type 0
  if (number >= 16 || rest_.size() <= 10 || rest_[0] != tag) return;
  if (into.size() <= 1) make_room(into, ends_of_varints(rest_) / 2);   // looked at once, whatever comes between
  const char *at = rest_.data(), *const end = at + rest_.size();
  constexpr size_t block = 256;
  for (Int some[block]; end - at > 10 && *at == tag;) {  // as much faster as a pointer is than a vector
    size_t n = 0;
    uint64_t value = 0;
    for (; n < block && end - at > 10 && *at == tag; ++n) {
      const size_t taken = short_varint(at + 1, value);
      if (taken == 0 || uint64_t(some[n] = Int(value)) != value) break;
      at += 1 + taken;
    }
    into.insert(into.end(), some, some + n);
    if (n < block) break;
  }
  rest_.remove_prefix(size_t(at - rest_.data()));
}
template void WireReader::take_integers(uint32_t, std::vector<int32_t>&);
template void WireReader::take_integers(uint32_t, std::vector<int64_t>&);

void WireReader::take_floats(uint32_t number, std::vector<float>& into) {
  const char tag = char(number << 3 | 5);
  if (number >= 16 || rest_.size() < 5 || rest_[0] != tag) return;
  if (into.size() <= 1) make_room(into, rest_.size() / 5);
  for (float v; rest_.size() >= 5 && rest_[0] == tag; rest_.remove_prefix(5)) std::memcpy(&v, rest_.data() + 1, 4), into.push_back(v);
}

// The next of the texts with this tag, of up to 127 bytes; null: something else comes.
static std::string_view short_text(std::string_view& rest, char tag) {
  if (rest.size() < 2 || rest[0] != tag || uint8_t(rest[1]) > std::min<size_t>(rest.size() - 2, 127)) return {};
  const std::string_view text = rest.substr(2, uint8_t(rest[1]));
  rest.remove_prefix(2 + text.size());
  return text;
}

void WireReader::take_texts(uint32_t number, std::vector<std::string>& into) {
  const char tag = char(number << 3 | 2);
  if (number >= 16) return;
  size_t count = 0;
  for (std::string_view rest = rest_; short_text(rest, tag).data();) ++count;
  make_room(into, count);
  for (; count > 0; --count) into.emplace_back(short_text(rest_, tag));
}

void WireReader::take_texts(uint32_t number, FewTexts& into) {
  const char tag = char(number << 3 | 2);
  if (number >= 16) return;
  if (into.size() <= 1) into.reserve(rest_.size() / 8);
  for (std::string_view rest = rest_, text; (text = short_text(rest, tag)).data() && into.add(text);) rest_ = rest;
}

template <class Into> static void append_all(const WireField& f, Into& into, const char* file) {
  if (f.wire == 0) into.push_back(int64_t(f.value));
  else for (WireReader r(f.body(), file); !r.empty();) into.push_back(int64_t(r.varint()));
}
// Lists may have millions of numbers. False: some are not in `to`'s type.
template <class Int> static bool read_varints(std::string_view bytes, Int* to, const char* file) {
  size_t at = 0;
  for (uint64_t value = 0; bytes.size() - at >= 10;) {   // no number can reach the end
    uint64_t eight = 0;
    std::memcpy(&eight, bytes.data() + at, 8);
    if ((eight & 0x8080808080808080) == 0) {
      for (size_t i = 0; i < 8; ++i) *to++ = Int(uint8_t(bytes[at + i]));
      at += 8;
      continue;
    }
    const size_t taken = short_varint(bytes.data() + at, value);
    if (taken == 0) break;                               // said below
    if (uint64_t(*to++ = Int(value)) != value) return false;
    at += taken;
  }
  for (WireReader r(bytes.substr(at), file); !r.empty();) {
    const uint64_t value = r.varint();
    if (uint64_t(*to++ = Int(value)) != value) return false;
  }
  return true;
}
template <class Int> static bool append_integers(const WireField& f, std::vector<Int>& into, const char* file) {
  if (f.wire == 0) return uint64_t(Int(f.value)) == f.value && (into.push_back(Int(f.value)), true);
  const size_t before = into.size(), count = ends_of_varints(f.body());
  make_room(into, count);
  into.resize(before + count);
  const bool fits = read_varints(f.bytes, into.data() + before, file);
  if (!fits) into.resize(before);
  return fits;
}
void append_varints(const WireField& f, std::vector<int64_t>& into, const char* file) { append_integers(f, into, file); }
bool append_varints(const WireField& f, std::vector<int32_t>& into, const char* file) { return append_integers(f, into, file); }
void append_varints(const WireField& f, Dims& into, const char* file) { append_all(f, into, file); }

template <class T> static void append_fixed(const WireField& f, std::vector<T>& into) {
  if (f.wire != (sizeof(T) == 4 ? 5 : 1)) f.body();
  if (f.bytes.size() % sizeof(T) != 0) fail(Code::bad_file, "byte ", f.at, ": a list of numbers of ", sizeof(T), " bytes takes ", f.bytes.size());
  const size_t before = into.size(), n = f.bytes.size() / sizeof(T);
  make_room(into, n);
  into.resize(before + n);
  if (n) std::memcpy(into.data() + before, f.bytes.data(), n * sizeof(T));
}
void append_floats(const WireField& f, std::vector<float>& into) { append_fixed(f, into); }
void append_doubles(const WireField& f, std::vector<double>& into) { append_fixed(f, into); }

void WireWriter::real(int field, float v) {
  tag(field, 5);
  raw({reinterpret_cast<const char*>(&v), sizeof v});
}

void WireWriter::raw(std::string_view s) {
  size_ += s.size();
  if (text_) text_->append(s);
  else if (file_) file_->write(s);
}

void WireWriter::varint(uint64_t v) {
  char out[10];
  size_t n = 0;
  for (; v >= 128; v >>= 7) out[n++] = char(v | 128);
  out[n++] = char(v);
  if (counts()) size_ += n;
  else raw({out, n});
}

void WireWriter::long_integer(int field, uint64_t v, size_t size) {
  tag(field, 0);
  char out[10];
  for (size_t i = 0; i < size; ++i, v >>= 7) out[i] = char(i + 1 < size ? v | 128 : v);
  raw({out, size});
}

}  // namespace onward
