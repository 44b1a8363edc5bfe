// Graphs written as formulas: `auto z = (x - mean) / scale;`. An operand is a value of the graph, a number, or an array; a number
// takes the type of its partner. A wrong shape or type throws an Error that names the line of the formula.
#pragma once
#include <source_location>

#include "onward/graph/array.h"
#include "onward/graph/builder.h"

namespace onward {

using Location = std::source_location;

class Operand {
 public:
  Operand(Expr e, Location at = Location::current()) : at(at), what_(e) {}
  Operand(double number, Location at = Location::current()) : at(at), what_(number) {}
  template <class T>
  Operand(const Array<T>& a, Location at = Location::current()) : at(at), what_(a.tensor()) {}
  Operand(Tensor t, Location at = Location::current()) : at(at), what_(std::move(t)) {}

  GraphBuilder* graph() const;                                    // null unless a value of a graph
  Expr in(GraphBuilder&, DataType wanted = DataType::f64) const;  // a lone number becomes a `wanted`
  Location at;

 private:
  std::variant<Expr, double, Tensor> what_;
};

Expr operator+(const Operand&, const Operand&);
Expr operator-(const Operand&, const Operand&);
Expr operator*(const Operand&, const Operand&);
Expr operator/(const Operand&, const Operand&);
Expr operator<(const Operand&, const Operand&);
Expr operator<=(const Operand&, const Operand&);
Expr operator>(const Operand&, const Operand&);
Expr operator>=(const Operand&, const Operand&);
Expr equal(const Operand&, const Operand&);
Expr either(const Operand&, const Operand&);  // logical or
Expr both(const Operand&, const Operand&);    // logical and
Expr negation(const Operand&);                // logical not
Expr maximum(const Operand&, const Operand&);
Expr minimum(const Operand&, const Operand&);
Expr power(const Operand&, const Operand&);
Expr where(const Operand& condition, const Operand& yes, const Operand& no);

Expr is_nan(const Operand&);
Expr negated(const Operand&);
Expr exp(const Operand&);
Expr log(const Operand&);
Expr sqrt(const Operand&);
Expr abs(const Operand&);
Expr unary(const char* op, const Operand&);  // any operator of one value that keeps type and shape
Expr sigmoid(const Operand&);
Expr softmax(const Operand&);  // over the last axis, as scikit-learn: exp(x - max) / sum

Expr matmul(const Operand&, const Operand&);
Expr transposed(const Operand&);
Expr sum(const Operand&, int axis = -1, bool keep = true);
Expr max(const Operand&, int axis = -1, bool keep = true);
Expr min(const Operand&, int axis = -1, bool keep = true);
Expr argmax(const Operand&);  // over the last axis, which it removes; the first of equals
Expr argmin(const Operand&);
struct Top {
  Expr values, indices;
};
Top smallest(const Operand&, int64_t k);  // along the last axis, in order; the first of equals

// Shapes, columns and tables.
Expr cast(const Operand&, DataType);
Expr reshaped(const Operand&, Dims);                                    // 0 keeps a dimension, `rows` is the number of rows
Expr concat(const std::vector<Expr>&, Location = Location::current());  // columns beside columns
Expr columns(const Operand&, const std::vector<int64_t>& which);
Expr column(const Operand&, int64_t which, Location = Location::current());  // (batch)
Expr pick(const Operand& table, const Operand& row);                         // table[row]: rows of a table by index
// For each item of x the value of the equal key, else `otherwise`; x and keys: string, int64 or double. NaN is equal to NaN.
Expr lookup(const Operand& x, const Tensor& keys, const Array<int64_t>& values, int64_t otherwise);

// The first use of an input says what it is. What is known already is cast (bool, int, float -> double) or refused.
Expr as_numbers(const Operand&);
Expr as_strings(const Operand&);
Expr as_type(const Operand&, DataType);  // an open input becomes of that type; a known one keeps its own

// "naive_bayes.cc:18: Div of double [batch, 4] and double [5]": why a formula cannot be written down.
[[noreturn]] void formula_error(const Location&, const std::string& message, Code = Code::bad_file);

}  // namespace onward
