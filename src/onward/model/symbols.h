// Sizes that are not known yet, and what arithmetic on shapes makes of them. An expression is a polynomial over named unknowns
// with integer coefficients ("batch + 1", "2*batch*seq"), or an opaque term for what is no polynomial ("floor(batch/2)").
// Equal expressions are the same symbol, so equality of sizes is equality of numbers.
#pragma once
#include <map>
#include <set>
#include <string>
#include <vector>

#include "onward/model/dims.h"

namespace onward {

class Symbols {
 public:
  int64_t named(const std::string& name);                // a size: 0 or more; the same name is the same symbol
  int64_t declared(const std::string& text);             // the same, where the text is a sum of products: "past + 1", "2*batch*seq"
  int64_t fresh(std::string_view hint = "unk");          // a size equal to no other
  int64_t fresh_item();                                  // an integer that may be negative, equal to no other
  int64_t add(int64_t a, int64_t b);                     // each operand a known number or a symbol; so is the result
  int64_t subtract(int64_t a, int64_t b);
  int64_t multiply(int64_t a, int64_t b);
  int64_t divide(int64_t a, int64_t b);                  // rounded down; exact where the polynomial allows
  int64_t divide_up(int64_t a, int64_t b);
  int64_t smaller(int64_t a, int64_t b);
  int64_t larger(int64_t a, int64_t b);
  int64_t broadcast(int64_t a, int64_t b);               // of axes that are equal, or one of which is 1
  int64_t product(std::span<const int64_t> dims);
  bool at_least(int64_t a, int64_t b) const;             // a >= b for sure
  bool is_item(int64_t a) const;                         // depends on something that may be negative
  bool is_fresh(int64_t a) const;                        // depends on something of which no file says anything
  std::string name(int64_t size) const;                  // "batch + 1"; the digits of a known number
  std::string shown(std::span<const int64_t> dims) const;

 private:
  using Names = std::set<std::string, std::less<>>;
  using Monomial = std::vector<std::string>;             // sorted names, repeated for powers; empty: the constant
  using Polynomial = std::map<Monomial, int64_t>;        // no zero coefficients
  Polynomial polynomial(int64_t size) const;
  int64_t intern(const Polynomial& p);
  int64_t unknown_of(int64_t a, int64_t b);
  int64_t opaque(const char* function, int64_t a, int64_t b, bool may_be_negative);
  int64_t divide_by_number(int64_t a, int64_t divisor);
  int64_t quotient(const Polynomial& p, const Polynomial& q);
  static bool mentions(const Polynomial& p, const Names& names);
  std::string operand(int64_t size) const;
  static std::string written(const Polynomial& p);

  std::vector<Polynomial> expressions_;                  // the symbol with number first_symbol - 1 - i
  std::map<std::string, int64_t> known_;                 // by its written form
  Names items_, fresh_;                                  // names that may be negative; names that no file declares
  int next_fresh_ = 0;
};

}  // namespace onward
