#include "onward/ops/elementwise.h"

#include <array>
#include <numeric>

#include "onward/ops/convert.h"

namespace onward {
namespace {

constexpr int64_t block = 512;

DataType computed_in(DataType type) { return contains(small_floats, type) ? DataType::f32 : contains(small_ints, type) ? DataType::i64 : type; }

// Pow alone has operands of two types: an integer base with a real exponent is computed in double.
DataType computed_in(DataType a, DataType b) {
  constexpr Types reals = f32 | f64 | small_floats;
  return contains(reals, b) && !contains(reals, a) ? DataType::f64 : computed_in(a);
}

// n copies of one element.
void repeat(const char* element, size_t size, char* to, int64_t n) {
  const auto as = [&]<class T>(T value) { std::memcpy(&value, element, sizeof value); std::fill_n(reinterpret_cast<T*>(to), n, value); };
  switch (size) {
    case 1: return as(uint8_t());
    case 2: return as(uint16_t());
    case 4: return as(uint32_t());
    default: return as(uint64_t());
  }
}

// One row of the broadcast: operands of the loop's own type are read in place, others are converted block by block.
struct RowRunner {
  const Loop& loop;
  const void* self;
  std::span<const Tensor* const> in;
  const Tensor& out;
  const Rows& rows;
  const size_t in_size, out_size;
  bool direct;                          // no conversion, no buffer: whole rows at once
  int64_t step;                         // elements at a time

  RowRunner(const Loop& loop, const void* self, std::span<const Tensor* const> in, const Tensor& out, const Rows& rows)
      : loop(loop), self(self), in(in), out(out), rows(rows), in_size(size_of(loop.in)), out_size(size_of(out.type())) {
    direct = out.type() == loop.out;
    for (size_t k = 0; k < in.size(); ++k) direct = direct && in[k]->type() == loop.in && rows.advances(k);
    step = direct ? rows.length() : loop.in == DataType::str ? 1 : std::min(block, rows.length());
  }

  void operator()(int64_t at, std::span<const int64_t> offset) const {
    alignas(64) char operand[3][block * 8], result[block * 8], single[8];
    for (int64_t start = 0, n; start < rows.length(); start += n) {
      n = std::min(step, rows.length() - start);
      const void* from[3];
      for (size_t k = 0; k < in.size(); ++k) {
        const bool moves = rows.advances(k), same = in[k]->type() == loop.in;
        const char* source = in[k]->data<char>() + size_t(offset[k] + (moves ? start : 0)) * size_of(in[k]->type());
        from[k] = operand[k];
        if (same && (moves || step == 1)) from[k] = source;
        else if (moves) convert(in[k]->type(), source, loop.in, operand[k], n);
        else if (start == 0) {                            // stands still along the row
          if (!same) convert(in[k]->type(), source, loop.in, single, 1);
          repeat(same ? source : single, in_size, operand[k], n);
        }
      }
      char* to = out.data<char>() + size_t(at + start) * out_size;
      if (out.type() == loop.out) { loop.run(self, from, to, n); continue; }
      loop.run(self, from, result, n);
      convert(loop.out, result, out.type(), to, n);
    }
  }
};

// Rows too short for a loop each: as many as fill a block are taken together, and operands that do not lie so in memory are laid out
// for it. One that repeats within the block (a vector for all rows) is laid out once.
struct ShortRows {
  static constexpr int64_t longest = 64;
  const Loop& loop;
  const void* self;
  std::span<const Tensor* const> in;
  const Tensor& out;
  const Rows& rows;
  int64_t together;                     // rows of a block
  bool whole[3] = {}, repeats[3] = {};

  static bool fit(const Loop& loop, std::span<const Tensor* const> in, const Tensor& out, const Rows& rows) {
    if (rows.length() > longest || rows.count() < 4 || out.type() != loop.out || loop.in == DataType::str || size_of(loop.in) > 8 || size_of(loop.out) > 8) return false;
    return std::all_of(in.begin(), in.end(), [&](const Tensor* t) { return t->type() == loop.in; });
  }
  ShortRows(const Loop& loop, const void* self, std::span<const Tensor* const> in, const Tensor& out, const Rows& rows)
      : loop(loop), self(self), in(in), out(out), rows(rows), together(block / rows.length()) {
    int64_t periods[3], common = 1;
    for (size_t k = 0; k < in.size(); ++k) {
      whole[k] = in[k]->dims() == out.dims();
      periods[k] = std::max<int64_t>(1, period(in[k]->dims()) / rows.length());
      if (const int64_t both = std::lcm(common, std::min(periods[k], together + 1)); both <= together) common = both;
    }
    together -= together % common;
    for (size_t k = 0; k < in.size(); ++k) repeats[k] = together % periods[k] == 0;
  }
  // After how many elements of the output an operand begins again.
  int64_t period(const Dims& dims) const {
    const Dims& to = out.dims();
    size_t axis = to.size() - dims.size();
    while (axis < to.size() && dims[axis - (to.size() - dims.size())] == 1) ++axis;
    return product(to, int64_t(axis), int64_t(to.size()));
  }

  void operator()(int64_t begin, int64_t end) const {
    alignas(64) char operand[3][block * 8];
    const int64_t length = rows.length();
    const size_t in_size = size_of(loop.in), out_size = size_of(loop.out);
    for (int64_t start = begin; start < end; start += together) {
      const int64_t n = std::min(together, end - start);
      const void* from[3];
      bool missing[3] = {}, any = false;
      for (size_t k = 0; k < in.size(); ++k) {
        from[k] = whole[k] ? in[k]->data<char>() + size_t(start * length) * in_size : operand[k];
        any |= missing[k] = !whole[k] && (start == begin || !repeats[k]);
      }
      if (any) switch (in_size) {
        case 1: lay_out<uint8_t>(start, n, missing, operand); break;
        case 2: lay_out<uint16_t>(start, n, missing, operand); break;
        case 4: lay_out<uint32_t>(start, n, missing, operand); break;
        default: lay_out<uint64_t>(start, n, missing, operand);
      }
      loop.run(self, from, out.data<char>() + size_t(start * length) * out_size, n * length);
    }
  }
  template <class U> void lay_out(int64_t start, int64_t n, const bool (&missing)[3], char (*operand)[block * 8]) const {
    const int64_t length = rows.length();
    rows.each(start, start + n, [&](int64_t at, std::span<const int64_t> offset) {
      for (size_t k = 0; k < in.size(); ++k) {
        if (!missing[k]) continue;
        const U* source = in[k]->data<U>() + offset[k];
        U* to = reinterpret_cast<U*>(operand[k]) + (at - start * length);
        if (rows.advances(k)) for (int64_t i = 0; i < length; ++i) to[i] = source[i];
        else for (int64_t i = 0; i < length; ++i) to[i] = *source;
      }
    });
  }
};

void map_rows(const RunContext& context, const Loop& loop, const void* self, std::span<const Tensor* const> in, const Tensor& out) {
  std::span<const int64_t> dims[3];
  bool one_row = true;                                    // all of one shape: no axis to walk
  for (size_t k = 0; k < in.size(); ++k) dims[k] = in[k]->dims(), one_row = one_row && in[k]->dims() == out.dims();
  const std::array<int64_t, 1> flat{out.size()};
  if (one_row) for (size_t k = 0; k < in.size(); ++k) dims[k] = flat;
  const Rows rows(one_row ? std::span<const int64_t>(flat) : std::span<const int64_t>(out.dims()), std::span(dims, in.size()));
  const RowRunner run(loop, self, in, out, rows);
  constexpr double nanoseconds = 0.5;
  if (ShortRows::fit(loop, in, out, rows)) {
    context.parallel(rows.count(), nanoseconds * double(rows.length()), ShortRows(loop, self, in, out, rows));
    return;
  }
  if (rows.count() > 1 || !run.direct) {
    context.parallel(rows.count(), nanoseconds * double(rows.length()), [&](int64_t begin, int64_t end) { rows.each(begin, end, run); });
    return;
  }
  context.parallel(rows.length(), nanoseconds, [&](int64_t begin, int64_t end) {       // one long row, all operands advance
    const void* from[3];
    for (size_t k = 0; k < in.size(); ++k) from[k] = in[k]->data<char>() + size_t(begin) * run.in_size;
    loop.run(self, from, out.data<char>() + size_t(begin) * run.out_size, end - begin);
  });
}

}  // namespace

void map(Call& call, const void* self, size_t arity, std::span<const Loop> loops) {
  const Tensor& out = call.output(0);
  const Tensor* in[3] = {};
  const size_t given = call.inputs.size();
  for (size_t i = 0; i < std::min<size_t>(given, 3); ++i) in[i] = &call.tensor(i);
  if (given < 1) invalid("no input");
  const DataType type = given > 1 ? computed_in(in[0]->type(), in[1]->type()) : computed_in(in[0]->type());
  const auto loop = std::find_if(loops.begin(), loops.end(), [&](const Loop& l) { return l.in == type; });
  if (loop == loops.end()) unsupported("element type ", name_of(in[0]->type()));
  if (out.size() == 0) return;
  if (given < arity) {                                    // a variadic operator with one input
    convert(in[0]->type(), in[0]->raw(), out.type(), out.raw(), out.size());
    return;
  }
  map_rows(call.context, *loop, self, std::span(in, arity), out);
  for (size_t i = arity; i < given; ++i) {
    const Tensor* both[] = {&out, &call.tensor(i)};
    map_rows(call.context, *loop, self, both, out);
  }
}

}  // namespace onward
