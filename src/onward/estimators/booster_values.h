// What boosters' files say, by name: a record of numbers, texts and lists of them, whichever way the file writes them.
#pragma once
#include <string>
#include <vector>

#include "onward/estimators/plain.h"
#include "onward/graph/array.h"

namespace onward {

// Every function throws Error{bad_file} "trees[3].left_children is missing", and knows how to read a number from text.
class BoosterRecord {
 public:
  BoosterRecord(plain::Value value, std::string where);  // a dict, or an object whose state is one

  bool has(std::string_view key) const { return value_.find(key).has_value(); }
  plain::Value at(std::string_view key) const;
  BoosterRecord record(std::string_view key) const { return {at(key), place(key)}; }
  std::vector<BoosterRecord> records(std::string_view key) const;
  std::string word(std::string_view key) const;
  int64_t integer(std::string_view key) const;
  int64_t integer(std::string_view key, int64_t otherwise) const { return has(key) ? integer(key) : otherwise; }
  std::vector<double> reals(std::string_view key) const;
  std::vector<int64_t> integers(std::string_view key) const;
  std::vector<std::string> words(std::string_view key) const;  // a list of texts

  std::string place(std::string_view key) const;
  template <class... Parts>
  [[noreturn]] void bad(std::string_view key, const Parts&... parts) const {
    fail(Code::bad_file, place(key), " ", parts...);
  }

 private:
  template <class T>
  std::vector<T> numbers(std::string_view key) const;
  plain::Value value_;
  std::string where_;
};

// All of `text` as numbers between blanks. Throws Error{bad_file}.
template <class T>
std::vector<T> numbers_of(std::string_view text);

}  // namespace onward
