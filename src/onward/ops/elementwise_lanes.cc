// One formula per element, of rows that stand side by side. A number that is the same for a whole column stays in a register where that is
// arithmetic; else pieces of columns are what the operator's own kernel runs on.
#include <array>
#include <cstring>

#include "onward/ops/broadcast.h"
#include "onward/ops/side_by_side.h"
#include "onward/simd/targets.h"

namespace onward {
namespace {

bool broadcasts(const LaneSite& site) {
  const size_t rank = site.output.dims.size();
  return !site.inputs.empty() && site.inputs.size() <= 3 && std::all_of(site.inputs.begin(), site.inputs.end(), [&](const LaneValue& in) {
    if (in.type == DataType::none || in.type == DataType::str) return false;
    return in.constant ? in.dims.size() < rank || (in.dims.size() == rank && in.dims[0] == 1) : in.dims.size() == rank;
  });
}

// Where each column of the result finds its operand: the number of the operand's column.
std::vector<int64_t> columns_of(const LaneValue& out, const LaneValue& operand) {
  std::span<const int64_t> from = operand.dims;
  if (operand.dims.size() == out.dims.size()) from = from.subspan(1);
  const std::span<const int64_t> operands[] = {from};
  std::vector<int64_t> columns(size_t(out.columns()));
  const Rows rows(out.inner(), operands);
  rows.each([&](int64_t at, std::span<const int64_t> offset) {
    for (int64_t i = 0; i < rows.length(); ++i) columns[size_t(at + i)] = offset[0] + i * rows.advances(0);
  });
  return columns;
}

struct Sum { static auto of(auto a, auto b) { return a + b; } };
struct Difference { static auto of(auto a, auto b) { return a - b; } };
struct Times { static auto of(auto a, auto b) { return a * b; } };
struct Quotient { static auto of(auto a, auto b) { return a / b; } };
struct Larger { static auto of(auto a, auto b) { return a > b || a != a ? a : b; } };
struct Smaller { static auto of(auto a, auto b) { return a < b || a != a ? a : b; } };

// A column of the result, of columns that lie at `a` and `b`; a null pointer stands for the number beside it.
template <class T> struct Column { int64_t to, a, b; T x, y; };
template <class F, class T> struct ArithmeticBody {
  [[gnu::always_inline]] static void run(char* block, const Column<T>* columns, int64_t n, int64_t lanes) {
    for (const Column<T>* c = columns; c < columns + n; ++c) {
      T* to = reinterpret_cast<T*>(block + c->to);
      const T *a = reinterpret_cast<const T*>(block + c->a), *b = reinterpret_cast<const T*>(block + c->b);
      if (c->a >= 0 && c->b >= 0) {
#pragma GCC ivdep
        for (int64_t l = 0; l < lanes; ++l) to[l] = F::of(a[l], b[l]);
      } else if (c->a >= 0) {
        const T y = c->y;
#pragma GCC ivdep
        for (int64_t l = 0; l < lanes; ++l) to[l] = F::of(a[l], y);
      } else {
        const T x = c->x;
#pragma GCC ivdep
        for (int64_t l = 0; l < lanes; ++l) to[l] = F::of(x, b[l]);
      }
    }
  }
};

template <class F> LaneStep arithmetic(const LaneSite& site) {
  if (!broadcasts(site) || site.inputs.size() != 2) return {};
  const LaneValue &a = site.inputs[0], &b = site.inputs[1], &y = site.output;
  LaneStep step;
  if (a.type == b.type && a.type == y.type) for_type<f32 | f64>(y.type, [&]<class T>() {
    const auto from_a = columns_of(y, a), from_b = columns_of(y, b);
    const int64_t size = site.lanes * int64_t(sizeof(T));
    std::vector<Column<T>> columns;
    for (int64_t c = 0; c < y.columns(); ++c) {
      const int64_t i = from_a[size_t(c)], k = from_b[size_t(c)];
      columns.push_back({y.at + c * size, a.constant ? -1 : a.at + i * size, b.constant ? -1 : b.at + k * size, a.constant ? a.constant->data<T>()[i] : T(), b.constant ? b.constant->data<T>()[k] : T()});
    }
    step = [columns, lanes = site.lanes](char* block) { simd::run<ArithmeticBody<F, T>, T>(block, columns.data(), int64_t(columns.size()), lanes); };
  });
  return step;
}

// What the operator's kernel is called with: tensors of one axis.
struct Piece { int64_t operands[3], to, count; };         // in bytes; elements
struct KernelStep {
  struct Operand { DataType type; Tensor constant; };     // one number, or laid out for all lanes; else it is in the block
  const Operator* op;
  const void* self;
  std::vector<Operand> operands;
  DataType type;
  std::vector<Piece> pieces;

  void operator()(char* block) const {
    static const RunContext alone;
    std::array<Value, 3> in;
    std::array<const Value*, 3> pointers{&in[0], &in[1], &in[2]};
    for (const Piece& p : pieces) {
      for (size_t k = 0; k < operands.size(); ++k) {
        const auto& [operand, constant] = operands[k];
        in[k] = constant && constant.size() == 1 ? constant : Tensor::view(operand, {p.count}, (constant ? constant.data<char>() : block) + p.operands[k]);
      }
      Value out = Tensor::view(type, {p.count}, block + p.to);
      Call call{std::span<const Value* const>(pointers.data(), operands.size()), std::span(&out, 1), alone};
      op->run(self, call);
    }
  }
};

Tensor in_all_lanes(const Tensor& constant, const std::vector<int64_t>& columns, int64_t lanes) {
  Tensor all(constant.type(), {int64_t(columns.size()) * lanes});
  const size_t size = size_of(constant.type());
  for (int64_t i = 0; i < all.size(); ++i) std::memcpy(all.data<char>() + size_t(i) * size, constant.data<char>() + size_t(columns[size_t(i / lanes)]) * size, size);
  return all;
}

LaneStep by_kernel(const LaneSite& site) {
  if (!broadcasts(site)) return {};
  const LaneValue& y = site.output;
  const int64_t n = y.columns();
  KernelStep step{&site.op, site.self, {}, y.type, {}};
  std::vector<std::vector<int64_t>> columns;              // -1 for what is the same in all
  for (const LaneValue& in : site.inputs) {
    columns.push_back(columns_of(y, in));
    step.operands.push_back({in.type, {}});
    if (!in.constant) continue;
    const bool single = in.constant->size() == 1;
    if (single) step.operands.back().constant = in.constant->reshaped({1});
    else step.operands.back().constant = in_all_lanes(*in.constant, columns.back(), site.lanes);
    for (int64_t c = 0; c < n; ++c) columns.back()[size_t(c)] = single ? -1 : c;
  }
  const auto advance = [&](int64_t c) {                   // all operands, from column c - 1
    return std::all_of(columns.begin(), columns.end(), [&](const auto& of) { return of[size_t(c)] < 0 || of[size_t(c)] == of[size_t(c - 1)] + 1; });
  };
  for (int64_t c = 0, end; c < n; c = end) {
    for (end = c + 1; end < n && advance(end);) ++end;
    Piece piece{{}, y.at + c * site.lanes * int64_t(size_of(y.type)), (end - c) * site.lanes};
    for (size_t k = 0; k < site.inputs.size(); ++k)
      piece.operands[k] = (site.inputs[k].constant ? 0 : site.inputs[k].at) + std::max<int64_t>(0, columns[k][size_t(c)]) * site.lanes * int64_t(size_of(site.inputs[k].type));
    step.pieces.push_back(piece);
  }
  return step;
}

template <class F> LaneStep arithmetic_or_kernel(const LaneSite& site) {
  LaneStep step = arithmetic<F>(site);
  return step ? step : by_kernel(site);
}

}  // namespace

LaneForms elementwise_lanes() {
  LaneForms out{{"Add", arithmetic_or_kernel<Sum>}, {"Sub", arithmetic_or_kernel<Difference>}, {"Mul", arithmetic_or_kernel<Times>}, {"Div", arithmetic_or_kernel<Quotient>},
                {"Max", arithmetic_or_kernel<Larger>}, {"Min", arithmetic_or_kernel<Smaller>}};
  for (const char* name : {"Pow", "Neg", "Abs", "Exp", "Log", "Sqrt", "Reciprocal", "Floor", "Ceil", "Round", "Sign", "Tanh", "Sigmoid", "Relu", "LeakyRelu", "Elu", "Softplus", "Erf", "Where",
                           "Not", "And", "Or", "Xor", "Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual", "IsNaN", "IsInf"})
    out.push_back({name, by_kernel});
  return out;
}

}  // namespace onward
