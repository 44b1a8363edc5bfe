// NGramRepeatBlock: scores of tokens that would repeat an n-gram become -inf. DynamicTimeWarping: the cheapest path from corner to corner
// of a table of costs.
#include <cmath>
#include "onward/ops/contrib.h"
#include "onward/ops/operator.h"

namespace onward::ops {
namespace {

struct NGramRepeatBlock : contrib::NGramRepeatBlock {
  void prepare(const Preparation&) const {
    if (ngram_size < 1) invalid("ngram_size is ", ngram_size, ", expected 1 or more");
  }
  void infer(Inference& io) const {
    const Dims &ids = io.dims(0), &scores = io.dims(1);
    if (ids.size() != 2 || scores.size() != 2 || (!io.symbols && ids[0] != scores[0])) invalid("tokens of shape ", shown(ids), " and scores of shape ", shown(scores));
    io.output(0, scores);
  }
  void run(In<int64_t> ids, In<float> scores, Out<float> y) const {
    const int64_t steps = ids.dims[1], words = scores.dims[1], known = ngram_size - 1;
    if (scores.data != y.data) std::copy(scores.begin(), scores.end(), y.data);
    for (int64_t b = 0; b < ids.dims[0]; ++b) {
      const int64_t* row = ids.data + b * steps;
      for (int64_t i = 0; i < steps - known; ++i) {
        if (!std::equal(row + i, row + i + known, row + steps - known)) continue;
        const int64_t next = row[i + known];
        if (next < 0 || next >= words) invalid("token ", next, " among ", words, " words");
        y[b * words + next] = -INFINITY;
      }
    }
  }
};

struct DynamicTimeWarping : contrib::DynamicTimeWarping {
  // Before a run only the two rows are known: the path's length depends on the costs, so the kernel allocates.
  void infer(Inference& io) const { table(io.dims(0)); }

  void run(In<float> cost, New<int32_t> path) const {
    const auto [rows, columns] = table(cost.dims);
    if (rows == 0 || columns == 0) return void(path.allocate({2, 0}));
    const auto moves = cheapest(cost, rows, columns);
    std::vector<std::pair<int32_t, int32_t>> backwards;
    for (int64_t i = rows, j = columns; i > 0 || j > 0;) {
      backwards.emplace_back(int32_t(i - 1), int32_t(j - 1));
      const Move move = i == 0 ? Move::column : j == 0 ? Move::row : moves[size_t(i * (columns + 1) + j)];
      i -= move != Move::column, j -= move != Move::row;
    }
    const auto n = int64_t(backwards.size());
    int32_t* to = path.allocate({2, n});
    for (int64_t k = 0; k < n; ++k) to[n - 1 - k] = backwards[size_t(k)].first, to[n + n - 1 - k] = backwards[size_t(k)].second;
  }

 private:
  enum class Move : uint8_t { both, row, column };

  static std::pair<int64_t, int64_t> table(std::span<const int64_t> d) {
    if (d.size() == 3 && (d[0] == 1 || is_symbol(d[0]))) return {d[1], d[2]};
    if (d.size() != 2) invalid("costs of shape ", shown(d), ", expected a table");
    return {d[0], d[1]};
  }

  // How each cell is best reached; a diagonal move must be cheaper than both others, else the row's must be.
  static std::vector<Move> cheapest(const In<float>& cost, int64_t rows, int64_t columns) {
    const auto width = size_t(columns + 1);
    std::vector<float> above(width, INFINITY), here(width, INFINITY);
    std::vector<Move> moves(size_t(rows + 1) * width, Move::column);
    above[0] = 0;
    for (int64_t i = 1; i <= rows; ++i) {
      here[0] = INFINITY;
      for (size_t j = 1; j < width; ++j) {
        const float both = above[j - 1], row = above[j], column = here[j - 1];
        const Move move = both < row && both < column ? Move::both : row < both && row < column ? Move::row : Move::column;
        here[j] = cost[(i - 1) * columns + int64_t(j) - 1] + (move == Move::both ? both : move == Move::row ? row : column);
        moves[size_t(i) * width + j] = move;
      }
      std::swap(above, here);
    }
    return moves;
  }
};

}  // namespace

Operators contrib_decoding() {
  return {define<NGramRepeatBlock>({.in_place = true, .examples = {"int64 [[1, 2, 1]], float [[5, 6, 7]]; ngram_size=2 -> float [[5, 6, -inf]]"}}),
          define<DynamicTimeWarping>({.examples = {"float [[1, 9, 9], [9, 1, 1]] -> int32 [[0, 1, 1], [0, 1, 2]]"}})};
}

}  // namespace onward::ops
