#include "onward/data/npy_header.h"

#include <charconv>

namespace onward {
namespace {

// The header is a Python dict literal: {'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), }.
class Literal {
 public:
  explicit Literal(std::string_view s) : s_(s) {}

  bool take(char c) {
    spaces();
    if (s_.empty() || s_[0] != c) return false;
    s_.remove_prefix(1);
    return true;
  }
  void need(char c) { if (!take(c)) damaged(); }
  std::string_view quoted() {
    spaces();
    if (s_.empty() || (s_[0] != '\'' && s_[0] != '"')) damaged();
    const size_t end = s_.find(s_[0], 1);
    if (end == std::string_view::npos) damaged();
    const std::string_view out = s_.substr(1, end - 1);
    s_.remove_prefix(end + 1);
    return out;
  }
  bool boolean() {
    spaces();
    for (const auto& [word, value] : {std::pair(std::string_view("True"), true), std::pair(std::string_view("False"), false)})
      if (s_.starts_with(word)) return s_.remove_prefix(word.size()), value;
    damaged();
  }
  Dims tuple() {
    Dims dims;
    need('(');
    while (!take(')')) {
      int64_t size = 0;
      spaces();
      const auto [end, error] = std::from_chars(s_.data(), s_.data() + s_.size(), size);
      if (error != std::errc() || size < 0 || dims.size() == 64) damaged();
      s_.remove_prefix(size_t(end - s_.data()));
      take('L');                                         // as Python 2 wrote it
      dims.push_back(size);
      if (!take(',')) {
        need(')');
        break;
      }
    }
    return dims;
  }
  [[noreturn]] void damaged() const { fail(Code::bad_file, "the .npy header is not the dictionary it must be, near '", s_.substr(0, 30), "'"); }

 private:
  void spaces() { while (!s_.empty() && (s_[0] == ' ' || s_[0] == '\n')) s_.remove_prefix(1); }
  std::string_view s_;
};

DataType number_type(char kind, size_t size) {
  static constexpr std::pair<std::pair<char, size_t>, DataType> known[] = {
      {{'f', 2}, DataType::f16}, {{'f', 4}, DataType::f32}, {{'f', 8}, DataType::f64}, {{'i', 1}, DataType::i8}, {{'i', 2}, DataType::i16}, {{'i', 4}, DataType::i32},
      {{'i', 8}, DataType::i64}, {{'u', 1}, DataType::u8},  {{'u', 2}, DataType::u16}, {{'u', 4}, DataType::u32}, {{'u', 8}, DataType::u64}, {{'b', 1}, DataType::b8},
      {{'c', 8}, DataType::c64}, {{'c', 16}, DataType::c128}, {{'M', 8}, DataType::i64}};
  for (const auto& [which, type] : known)
    if (which == std::pair(kind, size)) return type;
  return DataType::none;
}

int64_t time_unit(std::string_view unit) {
  static constexpr std::pair<std::string_view, int64_t> known[] = {{"[ns]", 1}, {"[us]", 1000}, {"[ms]", 1'000'000}, {"[s]", 1'000'000'000}, {"[m]", 60'000'000'000}, {"[h]", 3'600'000'000'000},
                                                                   {"[D]", 86'400'000'000'000}};
  for (const auto& [name, ns] : known)
    if (unit == name) return ns;
  return 0;
}

void read_descr(NpyHeader& h, std::string_view descr) {
  constexpr size_t longest_text = 64 << 20;
  std::string_view s = descr;
  const auto refuse = [&](const char* hint) { throw Error(Code::unsupported_format, text("arrays of dtype '", descr.substr(0, 40), "' are not read"), hint); };
  if (!s.empty() && std::string_view("<>|=").find(s[0]) != std::string_view::npos) h.big_endian = s[0] == '>', s.remove_prefix(1);
  if (s.starts_with("O")) refuse("objects hold pickle, which is a program; save numbers or strings: numpy.save(path, array.astype(str))");
  if (s.empty()) refuse("read are numbers, booleans, text (U, S) and datetime64");
  const auto [end, error] = std::from_chars(s.data() + 1, s.data() + s.size(), h.item_size);
  const std::string_view unit = s.substr(size_t(end - s.data()));
  h.wide_text = s[0] == 'U';
  if (error == std::errc() && (s[0] == 'U' || s[0] == 'S') && unit.empty() && h.item_size > 0 && h.item_size < longest_text) {
    h.type = DataType::str;
    if (h.wide_text) h.item_size *= 4;
    return;
  }
  if (error == std::errc()) h.type = number_type(s[0], h.item_size);
  if (s[0] == 'M') h.time_unit = time_unit(unit);
  const bool known = h.type != DataType::none && (s[0] == 'M' ? h.time_unit != 0 : unit.empty());
  if (!known) refuse("read are numbers, booleans, text (U, S) and datetime64; convert with array.astype(…)");
}

}  // namespace

NpyHeader read_npy_header(ByteReader& in) {
  if (in.take(npy_magic.size()) != npy_magic) fail(Code::bad_file, "this is no .npy file: it does not begin with \\x93NUMPY");
  const auto major = in.little<uint8_t>();
  in.take(1);
  if (major < 1 || major > 3) fail(Code::unsupported_format, "version ", int(major), " of .npy; 1 to 3 are read");
  Literal dict(in.take(major == 1 ? in.little<uint16_t>() : in.little<uint32_t>()));
  NpyHeader h;
  int seen = 0;
  dict.need('{');
  while (!dict.take('}')) {
    const std::string_view key = dict.quoted();
    dict.need(':');
    if (key == "descr") {
      if (dict.take('[')) throw Error(Code::unsupported_format, "structured arrays (records) are not read", "save each field by itself: numpy.savez(path, a=array['a'], …)");
      read_descr(h, dict.quoted()), seen |= 1;
    } else if (key == "fortran_order") {
      h.fortran = dict.boolean(), seen |= 2;
    } else if (key == "shape") {
      h.dims = dict.tuple(), seen |= 4;
    } else {
      dict.damaged();
    }
    if (!dict.take(',')) {
      dict.need('}');
      break;
    }
  }
  if (seen != 7) fail(Code::bad_file, "the .npy header must say descr, fortran_order and shape");
  return h;
}

}  // namespace onward
