// Text from parts: text("axis ", 3, " is outside rank ", 2).
#pragma once
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace onward {

// One part of a text: characters, a truth or a number (as short as tells it from its neighbours). A file that makes a message only
// lists its parts; what writes them is compiled once.
class Part {
 public:
  Part(std::string_view s) : kind(Kind::characters), characters(s) {}
  Part(const std::string& s) : Part(std::string_view(s)) {}
  Part(const char* s) : Part(std::string_view(s)) {}
  Part(char c) : kind(Kind::character), character(c) {}
  Part(bool b) : Part(b ? std::string_view("true") : std::string_view("false")) {}
  Part(std::signed_integral auto number) : kind(Kind::signed_number), signed_number(number) {}
  Part(std::unsigned_integral auto number) : kind(Kind::unsigned_number), unsigned_number(number) {}
  Part(float number) : kind(Kind::single_number), single_number(number) {}
  Part(double number) : kind(Kind::double_number), double_number(number) {}

  void append_to(std::string& out) const;

 private:
  enum class Kind : uint8_t { characters, character, signed_number, unsigned_number, single_number, double_number } kind;
  union {
    std::string_view characters;
    char character;
    int64_t signed_number;
    uint64_t unsigned_number;
    float single_number;
    double double_number;
  };
};

std::string join(std::initializer_list<Part> parts);

template <class... Parts> std::string text(const Parts&... parts) { return join({Part(parts)...}); }

}  // namespace onward
