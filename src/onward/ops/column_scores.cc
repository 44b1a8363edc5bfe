#include "onward/ops/column_scores.h"

#include <cmath>

#include "onward/simd/targets.h"

namespace onward {
namespace {

constexpr int64_t depth = 256;                            // matrix_product.h adds sums over so many columns
constexpr int64_t padding = 16;                           // lanes beyond the last row that a vector may read

// One column: the steps, each over all rows.
template <class T> struct StepsBody {
  [[gnu::always_inline]] static void run(T* x, int64_t n, const int64_t* steps, int64_t count, const T* values, int64_t columns) {
    for (int64_t s = 0; s < count; ++s, values += 2 * columns) {
      const T missing = values[0], v = values[columns];
      if (steps[s] == ColumnPlan::add) for (int64_t r = 0; r < n; ++r) x[r] = x[r] + v;
      else if (steps[s] == ColumnPlan::subtract) for (int64_t r = 0; r < n; ++r) x[r] = x[r] - v;
      else if (steps[s] == ColumnPlan::multiply) for (int64_t r = 0; r < n; ++r) x[r] = x[r] * v;
      else if (steps[s] == ColumnPlan::divide) for (int64_t r = 0; r < n; ++r) x[r] = x[r] / v;
      else if (steps[s] == ColumnPlan::impute_nan) for (int64_t r = 0; r < n; ++r) x[r] = x[r] != x[r] ? v : x[r];
      else for (int64_t r = 0; r < n; ++r) x[r] = x[r] == missing ? v : x[r];
    }
  }
};

std::vector<int64_t> integers_at(const Attributes& from, const char* name) {
  std::vector<int64_t> out;
  from.read(name, out);
  return out;
}

// Takes from the front of a list that several leaves share.
template <class L> auto taken(const L& list, size_t& at, int64_t n) {
  if (n < 0 || size_t(n) > list.size() - at) fail(Code::bad_model, "a list of columns is shorter than its parts");
  at += size_t(n);
  return L(list.begin() + ptrdiff_t(at - size_t(n)), list.begin() + ptrdiff_t(at));
}

}  // namespace

int64_t ColumnPlan::columns() const {
  int64_t n = 0;
  for (const Leaf& leaf : leaves) n += leaf.columns;
  return n;
}

void ColumnPlan::write(Attributes& to) const {
  std::vector<int64_t> sizes, steps, slots;
  std::vector<float> missing;
  std::vector<Tensor> values;
  std::vector<std::string> words;
  for (const Leaf& leaf : leaves) {
    sizes.insert(sizes.end(), {leaf.columns, int64_t(leaf.steps.size()), int64_t(leaf.slots.size()), leaf.otherwise});
    steps.insert(steps.end(), leaf.steps.begin(), leaf.steps.end());
    values.insert(values.end(), leaf.values.begin(), leaf.values.end());
    missing.push_back(leaf.missing.value_or(0));
    words.insert(words.end(), leaf.words.begin(), leaf.words.end());
    slots.insert(slots.end(), leaf.slots.begin(), leaf.slots.end());
  }
  to["column_sizes"] = sizes, to["column_steps"] = steps, to["column_values"] = values, to["column_missing"] = missing;
  to["column_words"] = words, to["column_slots"] = slots, to["column_weights"] = weights;
  if (bias) to["column_bias"] = bias;
}

ColumnPlan ColumnPlan::read(const Attributes& from) {
  ColumnPlan plan;
  const auto sizes = integers_at(from, "column_sizes"), steps = integers_at(from, "column_steps"), slots = integers_at(from, "column_slots");
  std::vector<float> missing;
  std::vector<Tensor> values;
  std::vector<std::string> words;
  from.read("column_values", values), from.read("column_missing", missing), from.read("column_words", words);
  from.read("column_weights", plan.weights), from.read("column_bias", plan.bias);
  if (sizes.empty() || sizes.size() % 4 || missing.size() != sizes.size() / 4) fail(Code::bad_model, "column_sizes has ", sizes.size(), " numbers, expected four for each input");
  size_t step = 0, value = 0, word = 0, slot = 0;
  for (size_t i = 0; i < sizes.size(); i += 4) {
    Leaf leaf{.columns = sizes[i]};
    leaf.steps = taken(steps, step, sizes[i + 1]), leaf.values = taken(values, value, sizes[i + 1]), leaf.missing = missing[i / 4];
    leaf.words = taken(words, word, sizes[i + 2]), leaf.slots = taken(slots, slot, sizes[i + 2]), leaf.otherwise = sizes[i + 3];
    if (leaf.columns < 1 || leaf.columns > INT32_MAX || leaf.otherwise < -1 || leaf.otherwise >= leaf.columns) fail(Code::bad_model, "an input stands for ", leaf.columns, " columns");
    for (int64_t s : leaf.slots) if (s < -1 || s >= leaf.columns) fail(Code::bad_model, "a word stands for column ", s, " of ", leaf.columns);
    for (size_t k = 0; k < leaf.steps.size(); ++k)
      if (leaf.steps[k] < 0 || leaf.steps[k] >= step_count || leaf.values[k].size() != leaf.columns) fail(Code::bad_model, "a step has ", leaf.values[k].size(), " values for ", leaf.columns, " columns");
    plan.leaves.push_back(std::move(leaf));
  }
  const Tensor& w = plan.weights;
  if (w.rank() != 2 || w.dims()[0] != plan.columns() || w.dims()[1] < 1) fail(Code::bad_model, "weights of shape ", shown(w.dims()), " for ", plan.columns(), " columns");
  if (plan.bias && (plan.bias.size() != w.dims()[1] || plan.bias.type() != w.type())) fail(Code::bad_model, "a bias of shape ", shown(plan.bias.dims()), " for ", w.dims()[1], " targets");
  return plan;
}

template <class T> void ColumnScores<T>::prepare(ColumnPlan plan) {
  if (plan.weights.type() != type_of<T>) fail(Code::bad_model, "weights of ", name_of(plan.weights.type()), ", expected ", name_of(type_of<T>));
  targets_ = plan.weights.dims()[1], columns_ = plan.columns();
  weights_.assign(plan.weights.data<T>(), plan.weights.data<T>() + plan.weights.size());
  if (plan.bias) bias_.assign(plan.bias.data<T>(), plan.bias.data<T>() + plan.bias.size());
  int64_t first = 0;
  for (size_t i = 0; i < plan.leaves.size(); ++i) {
    ColumnPlan::Leaf& leaf = plan.leaves[i];
    Source source{.columns = leaf.columns, .first = first, .side = numbers_};
    first += leaf.columns;
    if (!leaf.is_words()) {
      numbers_ += leaf.columns;
      source.last_of_run = i + 1 == plan.leaves.size() || plan.leaves[i + 1].is_words();
      source.steps = leaf.steps;
      for (const Tensor& v : leaf.values) {
        if (v.type() != type_of<T>) fail(Code::bad_model, "a step of ", name_of(v.type()), ", expected ", name_of(type_of<T>));
        source.values.insert(source.values.end(), size_t(leaf.columns), T(leaf.missing.value_or(0)));
        source.values.insert(source.values.end(), v.data<T>(), v.data<T>() + leaf.columns);
      }
    } else {
      source.words = std::move(leaf.words), source.slots = std::move(leaf.slots), source.otherwise = leaf.otherwise;
    }
    sources_.push_back(std::move(source));
  }
  for (Source& source : sources_) source.table = TextTable(source.words);      // lists do not move any more
}

template <class T> int64_t ColumnScores<T>::infer_rows(const Inference& io) const {
  if (io.inputs.size() != sources_.size()) invalid("has ", io.inputs.size(), " inputs, expected ", sources_.size());
  int64_t rows = -1;
  for (size_t i = 0; i < sources_.size(); ++i) {
    const Dims& dims = io.dims(i);
    const bool words = !sources_[i].slots.empty();
    const int64_t width = words ? 1 : sources_[i].columns;
    if (io.type(i) != (words ? DataType::str : type_of<T>) || dims.size() != 2 || dims[1] != width) invalid("input ", i, " is ", name_of(io.type(i)), " ", shown(dims), ", expected [rows, ", width, "] of ", words ? "string" : name_of(type_of<T>));
    if (i > 0 && dims[0] != rows) invalid("input ", i, " has ", dims[0], " rows, the ones before ", rows);
    rows = dims[0];
  }
  return rows;
}

template <class T> void ColumnScores<T>::run(const Call& call, FunctionRef<void(int64_t, int64_t, T*)> take) const {
  const int64_t rows = call.tensor(0).dims()[0], blocks = (columns_ + depth - 1) / depth, sums_size = targets_ * lane_rows;
  const double each = 5 + 0.5 * double(numbers_) + 10 * double(sources_.size());
  call.context.parallel(rows, each, [&](int64_t begin, int64_t end) {
    const Tensor held = call.scratch(type_of<T>, {numbers_ * lane_rows + blocks * sums_size});
    T *const sums = held.data<T>(), *const side = sums + blocks * sums_size;
    for (size_t i = 0; i < sources_.size(); ++i) __builtin_prefetch(first_of(call, i, begin));       // each lies somewhere else
    for (int64_t r = begin; r < end; r += lane_rows) {
      const int64_t n = std::min(lane_rows, end - r);
      std::fill_n(sums, blocks * sums_size, T(0));
      for (size_t i = 0; i < sources_.size(); ++i) {
        const Source& source = sources_[i];
        if (!source.slots.empty()) {
          add_words(source, call.tensor(i).data<std::string>() + r, n, sums);
        } else {
          read_numbers(source, call.tensor(i).data<T>() + r * source.columns, n, side);
          if (source.last_of_run) add_run(source, side, n, sums);
        }
      }
      for (int64_t b = 1; b < blocks; ++b) for (int64_t k = 0; k < sums_size; ++k) sums[k] += sums[b * sums_size + k];
      for (size_t t = 0; t < bias_.size(); ++t) for (int64_t k = 0; k < n; ++k) sums[int64_t(t) * lane_rows + k] += bias_[t];
      take(r, n, sums);
    }
  });
}

template <class T> const void* ColumnScores<T>::first_of(const Call& call, size_t i, int64_t row) const {
  if (sources_[i].slots.empty()) return call.tensor(i).data<T>() + row * sources_[i].columns;
  return call.tensor(i).data<std::string>() + row;
}

template <class T> void ColumnScores<T>::read_numbers(const Source& source, const T* x, int64_t rows, T* all) const {
  T* const side = all + source.side * lane_rows;
  const int64_t columns = source.columns, padded = std::min(lane_rows, (rows + padding - 1) / padding * padding);
  if (columns == 1) std::copy_n(x, rows, side);
  else if (rows == lane_rows) lay_side_by_side(x, columns, side);
  else for (int64_t r = 0; r < rows; ++r) for (int64_t c = 0; c < columns; ++c) side[c * lane_rows + r] = x[r * columns + c];
  for (int64_t c = 0; c < columns; ++c) {
    T* const column = side + c * lane_rows;
    std::fill(column + rows, column + padded, T(0));
    if (!source.steps.empty())
      simd::Compiled<StepsBody<T>, T*, int64_t, const int64_t*, int64_t, const T*, int64_t>::best(column, rows, source.steps.data(), int64_t(source.steps.size()), source.values.data() + c, columns);
  }
}

// The numbers up to the end of `last`, from where the words before them end; sums stop where those of a matrix product do.
template <class T> void ColumnScores<T>::add_run(const Source& last, const T* side, int64_t rows, T* sums) const {
  const Source* from = &last;
  while (from != sources_.data() && from[-1].slots.empty()) --from;
  for (int64_t k = from->first, end = last.first + last.columns; k < end;) {
    const int64_t stop = std::min(end, (k / depth + 1) * depth);
    add_products(side + (from->side + k - from->first) * lane_rows, stop - k, weights_.data() + k * targets_, targets_, sums + k / depth * targets_ * lane_rows, rows);
    k = stop;
  }
}

template <class T> void ColumnScores<T>::add_words(const Source& source, const std::string* x, int64_t rows, T* sums) const {
  for (int64_t r = 0; r < rows; ++r) {
    const int64_t at = source.table.find(x[r]), slot = at < 0 ? source.otherwise : source.slots[size_t(at)];
    if (slot < 0) continue;
    const int64_t k = source.first + slot;
    T* const to = sums + k / depth * targets_ * lane_rows + r;
    for (int64_t t = 0; t < targets_; ++t) to[t * lane_rows] += weights_[size_t(k * targets_ + t)];
  }
}

template class ColumnScores<float>;
template class ColumnScores<double>;

}  // namespace onward
