// A table's columns to a model's input tensors, by name, under the schema's policies.
#pragma once
#include <map>
#include <span>

#include "onward/data/table_stream.h"

namespace onward {

using Tensors = std::map<std::string, Tensor, std::less<>>;

// Finds the columns once; binds any number of batches, from any thread.
//
// An input of shape (n) or (n, 1) takes the column of its name; a matrix (n, k) takes the columns that its `names` list, else x0 … x(k-1),
// else <input>_0 …, else all columns of a table that has just k. The order of named columns is free and other columns are passed over.
class Binder {
 public:
  // Throws Error{bad_data} naming a column that the table lacks, and the nearest it has.
  // `named`: false where the columns' names were made up, as those of a matrix in a .npy file; then all of them are the model's.
  Binder(Schema schema, std::vector<std::string> columns, bool named = true);

  // How a reader of these columns should read them. `keep` names more of them, read as the text that stands there.
  std::vector<ColumnPlan> plan(std::span<const std::string> keep = {}) const;

  // Tensors of the table's rows. Throws Error{bad_data} naming row (from 1, in the whole file) and column of a value that is refused.
  Tensors bind(const Table& table) const;
  std::vector<Tensor> tensors(const Table& table) const;  // the same, in the order of the schema's inputs

  // The columns that the inputs take, in the inputs' order.
  std::vector<std::string> used() const;

  const Schema& schema() const { return schema_; }
  const std::vector<std::string>& columns() const { return columns_; }

 private:
  std::vector<size_t> sources(const Field& field) const;
  size_t source(const Field& field, const std::string& name) const;
  std::vector<size_t> matrix_sources(const Field& field) const;
  bool all_present(const std::string& prefix, size_t k, std::vector<size_t>& into) const;

  void complete(Field& matrix, size_t width) const;

  Schema schema_;
  std::vector<std::string> columns_;
  bool named_;
  std::map<std::string, size_t> places_;
  std::vector<std::vector<size_t>> sources_;             // per input, into columns_
};

}  // namespace onward
