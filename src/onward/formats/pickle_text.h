// The texts inside a pickle: escapes, integers of any length, and the strings of Python 2.
#pragma once
#include "onward/estimators/plain.h"

namespace onward::formats {

// Integers beyond 64 bits are their decimal digits as text: they occur as the state of random generators.
plain::Value integer_of_bytes(Arena&, std::string_view little_endian);
plain::Value integer_of_digits(Arena&, std::string_view digits);
uint64_t index_of_digits(std::string_view digits);
double real_of_digits(std::string_view digits);

plain::Value checked_text(Arena&, std::string_view utf8);           // fails when it is not UTF-8
plain::Value python2_string(Arena&, std::string_view);              // text when it is ASCII, else bytes
std::string_view string_escaped(Arena&, std::string_view quoted);   // 'it\'s \x41' -> the bytes
std::string_view unicode_escaped(Arena&, std::string_view raw);     // Latin-1 with \u0041 and \U00000041 -> UTF-8

}  // namespace onward::formats
