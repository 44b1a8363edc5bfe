// Scores of a linear model straight from its columns: numbers that are imputed and scaled on their way, and words whose one-hot columns
// are never made, for a word's weights are all that a row of zeros and a one takes from the matrix.
#pragma once
#include "onward/ops/operator.h"
#include "onward/ops/row_lanes.h"
#include "onward/ops/text_table.h"

namespace onward {

// What lies between a model's inputs and the matrix that it multiplies; the optimizer finds it, a node's attributes carry it.
struct ColumnPlan {
  enum Step : int64_t { add, subtract, multiply, divide, impute_nan, impute_equal, step_count };
  struct Leaf {
    std::string input;                                    // while the optimizer looks
    int64_t columns = 1;                                  // of the matrix; the input has as many, one of words has one
    std::vector<int64_t> steps = {};                      // for numbers, in this order
    std::vector<Tensor> values = {};                      // of each step: a number for each column
    std::optional<float> missing = {};                    // what impute_equal replaces
    std::vector<std::string> words = {};
    std::vector<int64_t> slots = {};                      // of each word: which of the columns is 1; -1 for none
    int64_t otherwise = -1;                               // of every other word
    bool is_words() const { return !slots.empty(); }
  };
  std::vector<Leaf> leaves;
  Tensor weights, bias;                                   // [columns, targets]; [targets] or nothing

  int64_t columns() const;
  void write(Attributes& to) const;
  static ColumnPlan read(const Attributes& from);         // throws Error{bad_model} where the parts do not fit each other
};

template <class T> class ColumnScores {
 public:
  static constexpr int64_t most_targets = 16, most_numbers = 256, most_columns = 4096;

  void prepare(ColumnPlan plan);
  int64_t targets() const { return targets_; }
  int64_t infer_rows(const Inference& io) const;
  // take(first row, rows, scores): score t of row r lies at t * lane_rows + r; from several threads. Each sum is that of matrix_product.h.
  void run(const Call& call, FunctionRef<void(int64_t, int64_t, T*)> take) const;

 private:
  struct Source {
    int64_t columns, first;                               // in the matrix
    int64_t side = 0;                                     // numbers: where they are laid
    bool last_of_run = false;                             // words or nothing follow
    std::vector<int64_t> steps;
    std::vector<T> values;                                // [step][two][column]: what is missing, and the number
    std::vector<std::string> words;
    std::vector<int64_t> slots;
    TextTable table;
    int64_t otherwise = -1;
  };
  const void* first_of(const Call& call, size_t i, int64_t row) const;
  void read_numbers(const Source& source, const T* x, int64_t rows, T* side) const;
  void add_words(const Source& source, const std::string* x, int64_t rows, T* sums) const;
  void add_run(const Source& last, const T* side, int64_t rows, T* sums) const;

  std::vector<Source> sources_;
  std::vector<T> weights_, bias_;
  int64_t targets_ = 1, columns_ = 0, numbers_ = 0;
};

}  // namespace onward
