// The protobuf wire format: fields of a message in, messages out.
#pragma once
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "onward/base/file.h"
#include "onward/model/dims.h"
#include "onward/model/few_texts.h"

namespace onward {

// One protobuf field; `bytes` is set for length-delimited and fixed-width ones. The accessors throw Error{bad_file} for a field that
// is stored as another kind than the one asked for.
struct WireField {
  uint32_t number = 0, wire = 0;
  uint64_t value = 0;
  std::string_view bytes;
  uint64_t at = 0;                       // the field's first byte, counted from the start of the file

  uint64_t integer() const { return is(0, "an integer"), value; }
  std::string_view body() const { return is(2, "a length and bytes"), bytes; }
  std::string text() const;              // UTF-8
  float real() const;

 private:
  void is(uint32_t expected, const char* what) const;
};

// Reads the fields of a message. `file` is the start of the whole file, for the byte offsets in errors.
class WireReader {
 public:
  explicit WireReader(std::string_view bytes, const char* file) : rest_(bytes), file_(file) {}
  bool next(WireField& field);           // false at the end; throws Error{bad_file} for broken bytes
  bool empty() const { return rest_.empty(); }
  uint64_t varint();
  std::string_view take(uint64_t n);
  // Fields with this number that follow at once, each of one item: how protobuf's second version writes lists, of millions at times.
  // What cannot be told at a glance is left for `next`.
  // So is an integer that the list's type has no room for.
  template <class Int> void take_integers(uint32_t number, std::vector<Int>& into);
  void take_floats(uint32_t number, std::vector<float>& into);
  void take_texts(uint32_t number, std::vector<std::string>& into);
  void take_texts(uint32_t number, FewTexts& into);

 private:
  std::string_view rest_;
  const char* file_;
};

// Repeated numbers, packed or not, added to `into`.
void append_varints(const WireField& f, std::vector<int64_t>& into, const char* file);
bool append_varints(const WireField& f, std::vector<int32_t>& into, const char* file);   // false, with nothing added: some need more bits
void append_varints(const WireField& f, Dims& into, const char* file);
void append_floats(const WireField& f, std::vector<float>& into);
void append_doubles(const WireField& f, std::vector<double>& into);

// Writes a message in order, without holding it: the length of an inner message is counted before it is written.
class WireWriter {
 public:
  WireWriter() = default;                // only counts
  explicit WireWriter(std::string& to) : text_(&to) {}
  explicit WireWriter(FileWriter& to) : file_(&to) {}

  void integer(int field, int64_t v) { tag(field, 0), varint(uint64_t(v)); }
  void long_integer(int field, uint64_t v, size_t size);   // in a varint of this many bytes, at most ten, of which it may need fewer
  void real(int field, float v);
  void bytes(int field, std::string_view s) { tag(field, 2), varint(s.size()), raw(s); }
  void raw(std::string_view s);
  template <class Fill> void message(int field, const Fill& fill) {
    WireWriter counter;
    fill(counter);
    tag(field, 2), varint(counter.size_);
    if (counts()) size_ += counter.size_;
    else fill(*this);
  }
  template <class Range> void packed(int field, const Range& values) {
    message(field, [&](WireWriter& w) { for (auto v : values) w.varint(uint64_t(int64_t(v))); });
  }
  void varint(uint64_t v);
  uint64_t at() const { return size_; }  // bytes written so far; where only sizes are counted, those of the message that is counted

 private:
  bool counts() const { return !text_ && !file_; }
  void tag(int field, int wire) { varint(uint64_t(field) << 3 | uint64_t(wire)); }
  uint64_t size_ = 0;
  std::string* text_ = nullptr;
  FileWriter* file_ = nullptr;
};

}  // namespace onward
