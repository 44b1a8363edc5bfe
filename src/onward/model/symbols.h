// Sizes that are not known yet, and what arithmetic on shapes makes of them. An expression is a polynomial over named unknowns
// with integer coefficients ("batch + 1", "2*batch*seq"), or an opaque term for what is no polynomial ("floor(batch / 2)").
// Equal expressions are the same symbol, so equality of sizes is equality of numbers.
#pragma once
#include <map>
#include <vector>

#include "onward/model/dims.h"

namespace onward {

class Symbols {
 public:
  int64_t named(const std::string& name);                // the same name is the same symbol
  int64_t fresh(std::string_view hint = "unk");          // a symbol equal to no other
  int64_t add(int64_t a, int64_t b);                     // each operand a known number or a symbol; so is the result
  int64_t subtract(int64_t a, int64_t b);
  int64_t multiply(int64_t a, int64_t b);
  int64_t divide(int64_t a, int64_t b);                  // rounded down; exact where the polynomial allows
  int64_t product(std::span<const int64_t> dims);
  std::string name(int64_t size) const;                  // "batch + 1"; the digits of a known number
  std::string shown(std::span<const int64_t> dims) const;

 private:
  using Monomial = std::vector<std::string>;             // sorted names, repeated for powers; empty: the constant
  using Polynomial = std::map<Monomial, int64_t>;        // no zero coefficients
  Polynomial polynomial(int64_t size) const;
  int64_t intern(const Polynomial& p);
  static std::string written(const Polynomial& p);

  std::vector<Polynomial> expressions_;                  // the symbol with number first_symbol - 1 - i
  std::map<std::string, int64_t> known_;                 // by its written form
  int next_fresh_ = 0;
};

}  // namespace onward
