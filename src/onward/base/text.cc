#include "onward/base/text.h"

#include <charconv>

namespace onward {
namespace {

template <class T> void append_number(std::string& out, T number) {
  char digits[40];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
}

}  // namespace

void Part::append_to(std::string& out) const {
  switch (kind) {
    case Kind::characters: out += characters; break;
    case Kind::character: out += character; break;
    case Kind::signed_number: append_number(out, signed_number); break;
    case Kind::unsigned_number: append_number(out, unsigned_number); break;
    case Kind::single_number: append_number(out, single_number); break;
    case Kind::double_number: append_number(out, double_number); break;
  }
}

std::string join(std::initializer_list<Part> parts) {
  std::string out;
  for (const Part& part : parts) part.append_to(out);
  return out;
}

}  // namespace onward
