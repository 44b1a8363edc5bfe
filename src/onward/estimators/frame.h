// What flows between estimators: columns with names, each a column of some block of the graph. Nothing is copied or converted until
// someone asks for the columns as one matrix, and a block asked for whole stays the block it was.
#pragma once
#include "onward/estimators/conversion.h"

namespace onward {

class Frame {
 public:
  Frame() = default;
  // Every column of `block`; names that are left out are "".
  explicit Frame(Expr block, std::span<const std::string> names = {});
  Frame& append(const Frame&);

  int64_t size() const { return int64_t(columns_.size()); }
  const std::string& name(int64_t i) const { return at(i).name; }
  Conversion& graph() const;
  Frame select(std::span<const int64_t> which) const;
  Frame renamed(const std::vector<std::string>& names) const;  // one name per column
  // What other values in a column's place keep of the table's column, each with those before it.
  enum class Keeps : uint8_t { nothing, missing, infinity, values };  // its gaps as NaN; its infinities; what it knows, gaps perhaps filled
  // Column i with other values: name and origin stay.
  Frame replaced(int64_t i, Expr values, Keeps keeps) const;
  Frame all_replaced(Expr values, Keeps keeps) const;  // the same for a block as wide as this frame

  Expr numbers(Location = Location::current()) const;                       // double (batch, size)
  Expr number(int64_t i, Location = Location::current()) const;             // double (batch, 1)
  Expr string(int64_t i, Location = Location::current()) const;             // string (batch, 1)
  Expr as(int64_t i, DataType type, Location = Location::current()) const;  // (batch, 1): an open input becomes `type`, a known one stays
  Expr column(int64_t i) const;                                             // (batch, 1), of whatever it holds; perhaps open
  bool is_text(int64_t i) const;                                            // known to hold strings
  bool open(int64_t i) const;                                               // of an input that nothing has used yet
  int place(int64_t i) const { return at(i).origin; }                      // in the fitted table; -1: made on the way
  bool mixed() const;                                                       // of strings and numbers
  Expr matrix(Location = Location::current()) const;                        // (batch, size) of whichever it holds; not mixed

  // The column of the fitted table that column i still is, in so far as it keeps that; or null.
  ColumnFacts* origin(int64_t i, Keeps least = Keeps::values) const;
  void from_table();  // this frame is the table: its columns become facts of it
  void refuse_missing() const;
  void refuse_infinity() const;
  bool sparse = false;  // the library holds these columns as one sparse matrix, whose missing values some estimators refuse

 private:
  struct Column {
    std::string name;
    Expr block;
    int64_t index;
    int origin = -1;
    Keeps keeps = Keeps::values;
  };
  const Column& at(int64_t i) const;
  void need_numbers(int64_t i) const;
  std::vector<Column> columns_;
};

}  // namespace onward
