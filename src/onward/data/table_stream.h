// Tables that come and go in batches, so that no file need fit into memory.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "onward/data/table.h"

namespace onward {

// How one column of a file is to be read. Untyped: the reader decides from what it sees in the first batch.
struct ColumnPlan {
  bool skip = false;
  std::optional<ColumnType> type;
  Written numbers = Written::text;                       // of a column of text: numbers and bools in a file that tells them from text
  Written true_false = Written::text;                    // and the words True and False in one that does not
};

class TableReader {
 public:
  virtual ~TableReader() = default;
  virtual const std::vector<std::string>& names() const = 0;           // of all columns, known from the start
  virtual bool named() const { return true; }                          // false where it made the names up: x0, x1 …
  virtual void plan(std::vector<ColumnPlan> plan) = 0;                 // one per name, before the first batch
  // The next rows with the columns that are not skipped, in file order; nothing at the end. Throws Error{bad_data, bad_file, io}
  // that names line and column.
  virtual std::optional<Table> next() = 0;
};
Table read_all(TableReader& reader);                                   // every batch in one table

class TableWriter {
 public:
  virtual ~TableWriter() = default;
  virtual void write(const Table& table) = 0;                          // the same columns every time
  virtual void finish() = 0;                                           // what is not finished leaves no file
};

}  // namespace onward
