// What a document's n-grams become: the columns it reaches with their counts, weighed, and either spread over a row or multiplied by a
// matrix, of which only the rows reached are read. Added in the order of the columns, as SciPy adds a sparse row.
#pragma once
#include <algorithm>
#include <cmath>

#include "onward/ops/operator.h"

namespace onward::ops {

struct NgramRows {
  struct Entry {
    int64_t column;
    double value;
  };
  static constexpr std::string_view attributes = "binary:INT=0;norm:STRING=\"\";sublinear_tf:INT=0";
  int64_t binary = 0, sublinear = 0;
  std::string norm;

  void read(const Attributes& from) { from.read("binary", binary), from.read("norm", norm), from.read("sublinear_tf", sublinear); }
  void prepare() const {
    if (!norm.empty() && norm != "l1" && norm != "l2") fail(Code::bad_model, "norm is '", norm, "', expected l1 or l2");
  }
  // Inputs: documents, idf?, matrix?
  void infer(Inference& io, int64_t width) const {
    const Dims in = io.dims(0);
    if (in.empty() || in.size() > 2) invalid("expected documents of shape [N] or [N, 1], found ", shown(in));
    if (io.has(2) && io.dims(2).size() != 2) invalid("expected a matrix of ", width, " rows, found ", shown(io.dims(2)));
    io.output(0, DataType::f64, {in[0], io.has(2) ? io.dims(2)[1] : width});
  }
  // each_column(document, f) calls f(column, count) for every n-gram that has a column.
  template <class F>
  void run(Call& call, int64_t width, F each_column) const {
    const Tensor& x = call.tensor(0);
    const Tensor& y = call.output(0);
    const Tensor *idf = call.has(1) ? &call.tensor(1) : nullptr, *matrix = call.has(2) ? &call.tensor(2) : nullptr;
    const int64_t rows = x.dims()[0];
    if (x.type() != DataType::str || x.size() != rows) invalid("expected strings of shape [N] or [N, 1], found ", shown(x));
    if (idf && (idf->type() != DataType::f64 || idf->size() != width)) invalid("expected ", width, " weights, found ", shown(*idf));
    if (matrix && (matrix->type() != DataType::f64 || matrix->rank() != 2 || matrix->dims()[0] != width)) invalid("expected a matrix of ", width, " rows, found ", shown(*matrix));
    const int64_t out = matrix ? matrix->dims()[1] : width;
    std::fill_n(y.data<double>(), y.size(), 0.0);
    call.context.parallel(rows, 2000.0 + double(out), [&](int64_t begin, int64_t end) {
      std::vector<Entry> row;
      for (int64_t r = begin; r < end; ++r, row.clear()) {
        each_column(x.data<std::string>()[r], [&](int64_t column, double count) { row.push_back({column, count}); });
        weigh(row, idf ? idf->data<double>() : nullptr);
        double* to = y.data<double>() + r * out;
        for (const Entry& e : row) {
          if (!matrix) {
            to[e.column] = e.value;
            continue;
          }
          const double* of = matrix->data<double>() + e.column * out;
          for (int64_t k = 0; k < out; ++k) to[k] += e.value * of[k];
        }
        call.context.check();
      }
    });
  }

 private:
  void weigh(std::vector<Entry>& row, const double* idf) const {
    std::stable_sort(row.begin(), row.end(), [](const Entry& a, const Entry& b) { return a.column < b.column; });
    size_t kept = 0;
    for (size_t i = 0; i < row.size(); ++i)
      if (kept && row[kept - 1].column == row[i].column) row[kept - 1].value += row[i].value;
      else row[kept++] = row[i];
    row.resize(kept);
    double sum = 0;
    for (Entry& e : row) {
      if (binary) e.value = 1;  // also where signs cancelled
      if (sublinear) e.value = std::log(e.value) + 1;
      if (idf) e.value *= idf[e.column];
      sum += norm == "l1" ? std::abs(e.value) : e.value * e.value;
    }
    const double length = norm == "l1" ? sum : std::sqrt(sum);
    if (!norm.empty() && length != 0)
      for (Entry& e : row) e.value /= length;
  }
};

}  // namespace onward::ops
