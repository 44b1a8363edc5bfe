#include "onward/validate/answers.h"

#include <chrono>
#include <cmath>
#include <limits>

#include "onward/base/file.h"
#include "onward/base/version.h"
#include "onward/data/npy.h"

namespace onward {
namespace {

constexpr int64_t batch_rows = 8192;

// Outputs of some of the rows, put in their places.
class Assembly {
 public:
  explicit Assembly(int64_t rows) : rows_(rows) {}

  void add(int64_t first, int64_t n, const NamedValues& values) {
    for (const auto& [name, value] : values) {
      const Tensor* piece = value.tensor();
      if (!piece || piece->rank() == 0 || piece->dims()[0] != n) continue;            // no column of the rows: compared by nobody
      Tensor& whole = place(name, *piece);
      const int64_t width = n ? piece->size() / n : 0;
      if (whole.size() != rows_ * width || whole.type() != piece->type()) fail(Code::bad_value, "output '", name, "' has another shape in each batch");
      for_type<every_type>(piece->type(), [&]<class T>() { std::copy_n(piece->data<T>(), piece->size(), whole.data<T>() + first * width); });
    }
  }
  std::vector<std::pair<std::string, Tensor>> outputs;

 private:
  Tensor& place(const std::string& name, const Tensor& piece) {
    for (auto& [known, tensor] : outputs)
      if (known == name) return tensor;
    Dims dims = piece.dims();
    dims[0] = rows_;
    Tensor whole(piece.type(), dims);
    for_type<every_type - str>(whole.type(), [&]<class T>() {
      T nothing{};
      if constexpr (std::is_floating_point_v<T>) nothing = std::numeric_limits<T>::quiet_NaN();
      std::fill_n(whole.data<T>(), whole.size(), nothing);
    });
    return outputs.emplace_back(name, whole).second;
  }
  int64_t rows_;
};

struct Run {
  const TableSession& session;
  const Table& table;
  const RunOptions& options;
  Answers& answers;
  Assembly& assembly;

  void over(int64_t first, int64_t n) {
    try {
      assembly.add(first, n, session.run(rows_of(table, first, n), options));
    } catch (const Error& e) {
      if (e.code != Code::bad_data && e.code != Code::bad_value) throw;
      if (n > 1) return over(first, n / 2), over(first + n / 2, n - n / 2);
      answers.refused[size_t(first)] = 1;
      if (answers.why_refused.empty()) answers.why_refused = e.message;
    }
  }
};

}  // namespace

Answers answers_of(const TableSession& session, const Table& table, const RunOptions& options) {
  Answers answers{.who = text("onward ", version)};
  answers.refused.resize(size_t(table.rows));
  Assembly assembly(table.rows);
  Run run{session, table, options, answers, assembly};
  const auto start = std::chrono::steady_clock::now();
  for (int64_t first = 0; first < table.rows; first += batch_rows) run.over(first, std::min(batch_rows, table.rows - first));
  answers.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  answers.outputs = std::move(assembly.outputs);
  return answers;
}

Answers recorded_answers(const std::string& path, int64_t rows) {
  const MappedFile file = map_file(path);
  Answers answers{.who = path};
  try {
    for (NpyArray& array : read_npz(file.bytes, file.owner)) {
      if (array.tensor.rank() == 0 || array.tensor.dims()[0] != rows)
        fail(Code::bad_data, "the array '", array.name, "' is ", shown(array.tensor), " for ", rows, " rows of data");
      answers.outputs.emplace_back(array.name, array.tensor);
    }
  } catch (Error& e) {
    throw e.within(path);
  }
  answers.refused.resize(size_t(rows));
  return answers;
}

}  // namespace onward
