// An operator: what one file below ops/ defines. See ops/README.md for how to write one.
//
// An operator is a struct that inherits its attributes from the standard (ops/standard.h) and has some of these members:
//   void prepare(const Preparation&)   once per node at load: packs weights, builds trees, compiles subgraphs into members
//   void infer(Inference&) const       shapes of the outputs; sizes may be symbols
//   void run(In<T>…, Out<T>…) const    the kernel: typed, dense, allocated; or run(Call&) for anything beyond tensors
// and `define<Struct, constraints to instantiate run by…>({facts})` turns it into an Operator.
#pragma once
#include <functional>
#include <tuple>

#include "onward/ops/context.h"
#include "onward/ops/inference.h"
#include "onward/ops/standard.h"

namespace onward {

class Call;

// What a kernel sees of a tensor. An optional input that is left out is false.
template <class T> struct View {
  T* data = nullptr;
  std::span<const int64_t> dims;
  int64_t size = 0;
  bool given = false;
  explicit operator bool() const { return given; }
  T& operator[](int64_t i) const { return data[i]; }
  T* begin() const { return data; }
  T* end() const { return data + size; }
  int64_t rank() const { return int64_t(dims.size()); }
};
template <class T> struct In : View<const T> {};
template <class T> struct Out : View<T> {};
template <class T> struct Ins : std::vector<In<T>> {};    // a variadic input
struct Integers : Dims { bool given = false; };           // an int32 or int64 input, read as int64

// An output whose shape only the kernel can tell.
template <class T> struct New {
  Call& call;
  size_t index;
  explicit operator bool() const;                         // an optional output that is wanted
  T* allocate(Dims dims) const;
};

// One run of one node.
class Call {
 public:
  std::span<const Value* const> inputs;
  std::span<Value> outputs;
  const RunContext& context;
  const void* scope = nullptr;                            // the values that subgraphs may refer to; owned by the runtime

  bool has(size_t i) const { return i < inputs.size() && inputs[i] && !inputs[i]->empty(); }
  bool wants(size_t output) const { return output < outputs.size(); }
  const Tensor& tensor(size_t i) const;
  const Sequence& sequence(size_t i) const;
  const Map& map(size_t i) const;
  Tensor& output(size_t i) const { return std::get<Tensor>(outputs[i]); }
  Tensor& allocate(size_t output, DataType type, Dims dims);
  Tensor scratch(DataType type, Dims dims) const { return {type, std::move(dims), context.budget}; }
};

// A subgraph made ready to run. Values of the enclosing graph are found through the call.
struct Body {
  virtual ~Body() = default;
  virtual std::vector<Value> run(std::span<const Value> arguments, const Call& call) const = 0;
  // Before any run: what its outputs are for such arguments; empty where nothing can be told.
  virtual std::vector<Fact> infer(std::span<const Fact>) const { return {}; }
};

// What is known when a session is created. Everything the node says is checked here: kernels trust what prepare accepted.
struct Preparation {
  const Node& node;
  std::function<const Tensor*(std::string_view value)> constant;
  std::function<std::shared_ptr<const Body>(const GraphRef&)> compile;
  const Tensor* input(size_t i) const { return i < node.inputs.size() && constant ? constant(node.inputs[i]) : nullptr; }
};

// Nodes older than `below` mean this, in ports of their own version; or, where no text can say it, they are the operator of domain
// `onward` that this names, with the same inputs, outputs and attributes.
struct Upgrade { int below; std::string_view to; };

struct OperatorFacts {
  bool in_place = false;                                  // the first output may overwrite an input of its size and type
  bool shares_input = false;                              // the first output is the first input under another shape: nothing is allocated
  bool random = false;                                    // equal calls may answer differently: never folded, never merged
  double tolerance = 0;                                   // relative, kernel against meaning
  // Of an elementwise operator on integers or booleans: the result for items that are known or symbols. Shapes are computed so.
  int64_t (*on_sizes)(Symbols& symbols, std::span<const int64_t> items) = nullptr;
  std::vector<Upgrade> upgrades = {};
  std::vector<std::string_view> examples = {};            // "float [1, 2], int64 [0]; axis=1 -> float [1]"
  std::string_view inputs = {}, outputs = {}, attributes = {};   // of an operator outside the standard, as a Signature row says them
};

struct Operator {
  Name name;
  OperatorFacts facts;
  std::shared_ptr<const void> (*create)(const Preparation&);
  void (*infer)(const void* self, Inference&);
  void (*run)(const void* self, Call&);
};
using Operators = std::vector<Operator>;

const Operator* find_operator(std::string_view domain, std::string_view name);
const Operators& all_operators();

// Axis `axis` of `rank`, counted from the end when negative.
inline int64_t axis_of(int64_t axis, int64_t rank) {
  if (axis < -rank || axis >= rank) invalid("axis ", axis, " is outside rank ", rank);
  return axis < 0 ? axis + rank : axis;
}

namespace detail {

[[noreturn]] void wrong_type(DataType expected, DataType found);

template <class T> In<T> view(const Tensor& t) {
  constexpr bool any_of_width = (std::is_unsigned_v<T> && !std::is_same_v<T, bool>) || contains(complex_types, type_of<T>);
  if (t.type() != type_of<T> && !(any_of_width && size_of(t.type()) == sizeof(T) && t.type() != DataType::str)) wrong_type(type_of<T>, t.type());
  return {{t.data<const T>(), t.dims(), t.size(), true}};
}

// How each kind of kernel parameter is taken from a call; inputs and outputs are taken in the standard's order.
struct Binder {
  Call& call;
  size_t input = 0, output = 0;
  template <class P> struct As {};
  template <class T> In<T> take(As<In<T>>) { return call.has(input++) ? view<T>(call.tensor(input - 1)) : In<T>{}; }
  template <class T> Ins<T> take(As<Ins<T>>) {
    Ins<T> all;
    while (input < call.inputs.size()) all.push_back(take(As<In<T>>{}));
    return all;
  }
  Integers take(As<Integers>);
  template <class T> Out<T> take(As<Out<T>>) {
    if (output >= call.outputs.size() || call.outputs[output].empty()) return ++output, Out<T>{};
    Tensor& t = call.output(output++);
    return {{t.data<T>(), t.dims(), t.size(), true}};
  }
  template <class T> New<T> take(As<New<T>>) { return {call, output++}; }
  Tensor take(As<Tensor>) { return call.output(output++); }                // an output of a type that run<> does not name
  const RunContext& take(As<const RunContext&>) { return call.context; }
};

template <class Op, class... P>
void invoke(const Op& op, void (Op::*kernel)(P...) const, Call& call) {
  Binder binder{call};
  auto arguments = std::tuple<P...>{binder.take(Binder::As<P>{})...};     // braces: left to right
  std::apply([&](auto&&... a) { (op.*kernel)(std::forward<decltype(a)>(a)...); }, std::move(arguments));
}

inline constexpr Types widths = u8 | u16 | u32 | u64 | c128 | str;
DataType width_type(DataType type);     // the member of `widths` as large as `type`
DataType type_at(const Call& call, int place);

// Runs `kernel` on a call in which every tensor of `type` has become float; its outputs become `type` again.
void run_as_float(Call& call, DataType type, FunctionRef<void(Call&)> kernel);

// Instantiates run<T, …> for every combination of types in the constraints, and calls the one this call needs.
template <class Op, class... T>
struct Dispatch {
  template <Constraint... by> static void run(const Op& op, Call& call) {
    if constexpr (sizeof...(by) == 0) invoke(op, &Op::template run<T...>, call);
    else next<by...>(op, call);
  }
  template <Constraint first, Constraint... rest> static void next(const Op& op, Call& call) {
    const DataType type = type_at(call, first.place);
    if (!contains(first.types, type)) unsupported("element type ", name_of(type));
    const auto go = [&](DataType instance, Call& on) {
      for_type<instances(first)>(instance, [&]<class U>() { Dispatch<Op, T..., U>::template run<rest...>(op, on); });
    };
    if (first.kernels == Kernels::per_compute_type && contains(small_floats, type))
      run_as_float(call, type, [&](Call& as_float) { go(DataType::f32, as_float); });
    else go(first.kernels == Kernels::per_width ? width_type(type) : type, call);
  }
  static constexpr Types instances(Constraint c) {
    if (c.kernels == Kernels::per_width) return widths;
    if (c.kernels == Kernels::per_compute_type && uint32_t(c.types & small_floats)) return (c.types - small_floats) | f32;
    return c.types;
  }
};

}  // namespace detail

template <class Op, Constraint... by>
Operator define(OperatorFacts facts = {}) {
  return {Op::standard_name, std::move(facts),
          [](const Preparation& at) -> std::shared_ptr<const void> {
            auto self = std::make_shared<Op>();
            self->read(at.node.attributes);
            if constexpr (requires { self->prepare(at); }) self->prepare(at);
            return self;
          },
          [](const void* self, [[maybe_unused]] Inference& io) {
            if constexpr (requires(const Op& op) { op.infer(io); }) static_cast<const Op*>(self)->infer(io);
          },
          [](const void* self, Call& call) {
            const Op& op = *static_cast<const Op*>(self);
            if constexpr (sizeof...(by) > 0) detail::Dispatch<Op>::template run<by...>(op, call);
            else if constexpr (requires { op.run(call); }) op.run(call);
            else detail::invoke(op, &Op::run, call);
          }};
}

template <class T> New<T>::operator bool() const { return call.wants(index); }
template <class T> T* New<T>::allocate(Dims dims) const {
  return call.allocate(index, type_of<T>, std::move(dims)).template data<T>();
}

}  // namespace onward
