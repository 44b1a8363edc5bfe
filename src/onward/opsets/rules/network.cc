// Operators of neural networks: normalisation, quantisation, resizing, recurrence.
#include <cmath>

#include "onward/opsets/lowering.h"

namespace onward {
namespace {

void forget(Lowering& at, std::string_view attribute) {
  if (const auto it = at.node.attributes.find(attribute); it != at.node.attributes.end()) at.node.attributes.erase(it);
}

DataType computed_in(DataType type) { return type == DataType::f64 ? DataType::f64 : DataType::f32; }
std::string cast(std::string_view to, std::string_view from, DataType type) { return text(to, " = Cast(", from, "; to=", type_number(type), ")\n"); }

// `axis` and those after it; counted from the end where that needs no rank.
std::string axes_from(const Lowering& at, int64_t axis) {
  std::vector<int64_t> axes;
  if (axis >= 0) axis -= at.rank(0);
  for (; axis < 0; ++axis) axes.push_back(axis);
  return literal(axes);
}

std::string layer_normalization(Lowering& at) {
  const DataType type = at.type(0), in = computed_in(type), stash = DataType(at.attribute<int64_t>("stash_type", 1));
  const std::string axes = axes_from(at, at.attribute<int64_t>("axis", -1));
  return text(cast("x", "X", in), "mean = ReduceMean(x, ", axes, ")\n d = Sub(x, mean)\n squares = Mul(d, d)\n variance = ReduceMean(squares, ", axes, ")\n",
              "epsilon = Constant(; value_float=@epsilon)\n", cast("e", "epsilon", in), "above = Add(variance, e)\n deviation = Sqrt(above)\n inverse = Reciprocal(deviation)\n",
              "n = Mul(d, inverse)\n", cast("typed", "n", type), "scaled = Mul(typed, Scale)\n", at.has(2) ? "Y = Add(scaled, B)\n" : "Y = Identity(scaled)\n",
              cast("Mean", "mean", stash), cast("InvStdDev", "inverse", stash));
}

std::string rms_normalization(Lowering& at) {
  const DataType in = computed_in(at.type(0));
  const std::string axes = axes_from(at, at.attribute<int64_t>("axis", -1));
  return text(cast("x", "X", in), "squares = Mul(x, x)\n mean = ReduceMean(squares, ", axes, ")\n epsilon = Constant(; value_float=@epsilon)\n", cast("e", "epsilon", in),
              "above = Add(mean, e)\n root = Sqrt(above)\n inverse = Reciprocal(root)\n n = Mul(x, inverse)\n", cast("typed", "n", at.type(1)), "Y = Mul(typed, scale)");
}

// Every group of channels is a row.
std::string group_rows(Lowering& at) {
  const DataType in = computed_in(at.type(0));
  const int64_t groups = at.attribute<int64_t>("num_groups", 1);
  return text("shape = Shape(X)\n rows = Reshape(X, ", literal(std::vector<int64_t>{0, groups, -1}), ")\n", cast("x", "rows", in),
              "mean = ReduceMean(x, int64 [-1])\n d = Sub(x, mean)\n squares = Mul(d, d)\n variance = ReduceMean(squares, int64 [-1])\n",
              "epsilon = Constant(; value_float=@epsilon)\n", cast("e", "epsilon", in), "above = Add(variance, e)\n deviation = Sqrt(above)\n inverse = Reciprocal(deviation)\n",
              "n = Mul(d, inverse)\n", cast("typed", "n", at.type(0)));
}

std::string group_normalization(Lowering& at) {
  std::vector<int64_t> column(size_t(std::max<int64_t>(at.rank(0) - 1, 1)), 1);
  column[0] = -1;
  return text(group_rows(at), "back = Reshape(typed, shape)\n s = Reshape(scale, ", literal(column), ")\n b = Reshape(bias, ", literal(column), ")\n scaled = Mul(back, s)\n Y = Add(scaled, b)");
}

std::string group_normalization_by_group(Lowering& at) {
  return group_rows(at) + "s = Reshape(scale, int64 [-1, 1])\n b = Reshape(bias, int64 [-1, 1])\n scaled = Mul(typed, s)\n shifted = Add(scaled, b)\n Y = Reshape(shifted, shape)";
}

std::string batch_normalization_before_15(Lowering& at) {
  bool mixed = false;
  for (size_t i = 1; i < 5; ++i) mixed = mixed || at.type(i) != at.type(0);
  if (!mixed) return "";
  if (at.attribute<int64_t>("training_mode", 0)) at.refuse("training on inputs of several types has no words there");
  std::string out;
  const DataType in = [&] { for (size_t i = 0; i < 5; ++i) if (at.type(i) == DataType::f64) return DataType::f64; return DataType::f32; }();
  const char* names[] = {"X", "scale", "B", "input_mean", "input_var"};
  for (const char* name : names) out += cast(text(name, "_w"), name, in);
  return text(out, "y = ", called(at.node, "X_w, scale_w, B_w, input_mean_w, input_var_w"), "\n", cast("Y", "y", at.type(0)));
}

std::string batch_normalization_before_14(Lowering& at) {
  if (at.attribute<int64_t>("training_mode", 0)) at.refuse("training_mode=1 has no words there");
  return "";
}

std::string dropout_before_12(Lowering& at) {
  if (at.has(2)) {
    const Tensor* training = at.constant(2);
    if (!training || training->type() != DataType::b8 || training->size() != 1) at.refuse("its input 'training_mode' is computed when the model runs; there it only passes its input on");
    if (*training->data<bool>()) at.refuse("training_mode is true; there it only passes its input on");
  }
  forget(at, "seed");
  const bool constant_ratio = at.has(1) && at.constant(1) && at.constant(1)->size() == 1;
  if (at.wants(1)) return "output = Identity(data)\n shape = Shape(data)\n one = ConstantOfShape(shape; value=int64 [1])\n mask = Cast(one; to=9)";
  at.drop_input(2);
  if (!constant_ratio) at.drop_input(1);
  at.node.outputs.resize(1);
  return "";
}

std::string grid_sample_before_20(Lowering& at) {
  const std::string mode = at.attribute("mode", std::string("linear"));
  if (at.rank(0) != 4) at.refuse("an input of rank ", at.rank(0), "; there it has 4 axes");
  at.node.attributes["mode"] = mode == "linear" ? std::string("bilinear") : mode == "cubic" ? std::string("bicubic") : mode;
  return "";
}

std::string roi_align_before_16(Lowering& at) {
  if (at.attribute("coordinate_transformation_mode", std::string("half_pixel")) != "output_half_pixel") at.refuse("coordinates are 'output_half_pixel' there");
  forget(at, "coordinate_transformation_mode");
  return "";
}

std::string resize_before_19(Lowering& at) {
  if (at.attribute("coordinate_transformation_mode", std::string()) == "half_pixel_symmetric") at.refuse("'half_pixel_symmetric' came with opset 19");
  return "";
}

// Some axes only, or a kept ratio of sizes: the sizes of all axes, where the input's are known.
std::string resize_before_18(Lowering& at) {
  const auto axes = at.attribute("axes", std::vector<int64_t>());
  const std::string policy = at.attribute("keep_aspect_ratio_policy", std::string("stretch"));
  if (axes.empty() && policy == "stretch") return "";
  if (at.attribute("coordinate_transformation_mode", std::string()) == "tf_crop_and_resize") at.refuse("a region of some axes has no words there");
  const auto rank = size_t(at.rank(0));
  std::vector<int64_t> named;
  for (size_t i = 0; i < (axes.empty() ? rank : axes.size()); ++i) named.push_back(axes.empty() ? int64_t(i) : axes[i] < 0 ? axes[i] + int64_t(rank) : axes[i]);
  for (int64_t axis : named) if (axis < 0 || axis >= int64_t(rank)) invalid("an axis is outside rank ", rank);
  forget(at, "axes"), forget(at, "keep_aspect_ratio_policy");
  if (const Tensor* scales = at.constant(2); scales && scales->size()) {
    if (scales->type() != DataType::f32 || size_t(scales->size()) != named.size()) invalid(shown(*scales), " as scales of ", named.size(), " axes");
    std::vector<float> all(rank, 1.f);
    for (size_t k = 0; k < named.size(); ++k) all[size_t(named[k])] = scales->data<float>()[k];
    const std::string call = called(at.node, "X, , all_scales");
    at.node.attributes["scales_of_all"] = all;
    return text("all_scales = Constant(; value_floats=@scales_of_all)\n Y = ", call);
  }
  const auto sizes = at.integers_of(3);
  if (!sizes || sizes->size() != named.size()) at.refuse("its sizes are computed when the model runs, and name some axes only");
  const Dims& dims = *at.input(0).dims;
  if (std::any_of(dims.begin(), dims.end(), is_symbol)) at.refuse("the sizes of its input are not known");
  std::vector<int64_t> all(dims.begin(), dims.end());
  double ratio = 0;
  for (size_t k = 0; k < named.size(); ++k) {
    const double r = double((*sizes)[k]) / double(all[size_t(named[k])]);
    ratio = k == 0 ? r : policy == "not_larger" ? std::min(ratio, r) : std::max(ratio, r);
  }
  for (size_t k = 0; k < named.size(); ++k)
    all[size_t(named[k])] = policy == "stretch" ? (*sizes)[k] : int64_t(std::floor(double(all[size_t(named[k])]) * ratio + 0.5));
  return text("Y = ", called(at.node, text("X, , , ", literal(all))));
}

// Before 13 roi and scales are always given; an empty one stands for none.
std::string resize_before_13(Lowering& at) {
  if (at.has(1) && at.has(2)) return "";
  return text("none = Constant(; value=float [])\n Y = ", called(at.node, text(at.has(1) ? "X, roi, " : "X, none, ", at.has(2) ? "scales" : "none", at.has(3) ? ", sizes" : "")));
}

// The scales of a Resize or what they are for its sizes.
std::vector<float> scales_of(Lowering& at) {
  std::vector<float> out;
  if (const Tensor* scales = at.constant(2); scales && scales->size()) {
    if (scales->type() != DataType::f32) invalid("scales are ", shown(*scales));
    return {scales->data<float>(), scales->data<float>() + scales->size()};
  }
  const auto sizes = at.has(3) ? at.integers_of(3) : std::nullopt;
  const auto& dims = at.input(0).dims;
  if (!sizes || !dims || sizes->size() != dims->size()) at.refuse("its scales are not known");
  for (size_t i = 0; i < sizes->size(); ++i) {
    if (is_symbol((*dims)[i]) || (*dims)[i] == 0) at.refuse("the sizes of its input are not known");
    out.push_back(float(double((*sizes)[i]) / double((*dims)[i])));
    if (int64_t(std::floor(double((*dims)[i]) * double(out.back()))) != (*sizes)[i]) at.refuse("no float32 scale gives ", (*sizes)[i], " from ", (*dims)[i], " elements");
  }
  return out;
}

// Then only scales, of coordinates that are not moved. Whole factors give every element to its nearest under both.
std::string resize_before_11(Lowering& at) {
  const std::string mode = at.attribute("mode", std::string("nearest")), nearest = at.attribute("nearest_mode", std::string("round_prefer_floor"));
  const std::string coordinates = at.attribute("coordinate_transformation_mode", std::string("half_pixel"));
  const auto scales = scales_of(at);
  const bool grows_evenly = std::all_of(scales.begin(), scales.end(), [](float s) { return s >= 1 && s == std::floor(s); });
  const bool same_nearest = (coordinates == "asymmetric" && nearest == "floor") || (grows_evenly && coordinates == "half_pixel" && nearest.starts_with("round_prefer"))
                            || (grows_evenly && coordinates == "asymmetric" && nearest == "floor");
  const bool unmoved = std::all_of(scales.begin(), scales.end(), [](float s) { return s == 1; });
  if (mode == "cubic") at.refuse("mode \"cubic\" came with opset 11");
  if (!unmoved && mode == "nearest" && !same_nearest) at.refuse("'", coordinates, "' with '", nearest, "' came with opset 11; before it is 'asymmetric' with 'floor'");
  if (!unmoved && mode != "nearest" && coordinates != "asymmetric") at.refuse("'", coordinates, "' came with opset 11; before it is 'asymmetric'");
  at.node.attributes["factors"] = scales;
  return "factors = Constant(; value_floats=@factors)\n Y = Self(X, factors; mode=@mode)";
}

std::string resize_before_10(Lowering& at) {
  const Tensor* scales = at.constant(1);
  for (int64_t i = 0; scales && i < scales->size(); ++i) if (scales->data<float>()[i] < 1) at.refuse("a scale below 1; before opset 10 it only grows");
  return "Y = Upsample(X, scales; mode=@mode)";
}

// Until 22 a last window that starts behind the data was counted.
std::string pool_before_22(Lowering& at) {
  if (!at.attribute<int64_t>("ceil_mode", 0) || !at.input(0).dims) return "";
  const auto kernel = at.attribute("kernel_shape", std::vector<int64_t>());
  const auto pads = at.attribute("pads", std::vector<int64_t>(2 * kernel.size(), 0)), strides = at.attribute("strides", std::vector<int64_t>(kernel.size(), 1)),
             dilations = at.attribute("dilations", std::vector<int64_t>(kernel.size(), 1));
  const Dims& dims = *at.input(0).dims;
  if (dims.size() != kernel.size() + 2 || pads.size() != 2 * kernel.size() || strides.size() != kernel.size() || dilations.size() != kernel.size()) return "";
  for (size_t i = 0; i < kernel.size(); ++i) {
    const int64_t size = dims[i + 2], before = pads[i], room = size + before + pads[kernel.size() + i] - ((kernel[i] - 1) * dilations[i] + 1);
    if (is_symbol(size) || strides[i] < 1 || room < 0) continue;
    if ((room + strides[i] - 1) / strides[i] * strides[i] >= size + before) at.refuse("ceil_mode counted a window behind the data before opset 22");
  }
  return "";
}

std::string dft_before_20(Lowering& at) {
  if (at.attribute<int64_t>("inverse", 0) && at.attribute<int64_t>("onesided", 0)) at.refuse("inverse and onesided together came with opset 20");
  at.node.attributes["axis"] = at.has(2) ? at.integers_needed(2).at(0) : -2;
  at.drop_input(2);
  return "";
}

// Batches first is the other order of axes around the same recurrence.
std::string recurrence_before_14(Lowering& at) {
  const bool batch_first = at.attribute<int64_t>("layout", 0) != 0, lstm = at.node.op == "LSTM";
  forget(at, "layout");
  if (!batch_first) return "";
  std::string out = "x = Transpose(X; perm=[1, 0, 2])\n", inputs = "x, W, R";
  const char* names[] = {"B", "sequence_lens", "initial_h", "initial_c", "P"};
  for (size_t i = 3; i < at.node.inputs.size() && i < 8; ++i) {
    const std::string name = names[i - 3];
    const bool state = at.has(i) && (i == 5 || i == 6);
    if (state) out += text(name, "_t = Transpose(", name, "; perm=[1, 0, 2])\n");
    inputs += text(", ", at.has(i) ? name : "", state ? "_t" : "");
  }
  return text(out, lstm ? "y, h, c = " : "y, h = ", called(at.node, inputs), "\n Y = Transpose(y; perm=[2, 0, 1, 3])\n Y_h = Transpose(h; perm=[1, 0, 2])\n",
              lstm ? "Y_c = Transpose(c; perm=[1, 0, 2])" : "");
}

bool is_per_tensor(const Lowering& at) { return at.input(1).dims && (at.input(1).dims->empty() || *at.input(1).dims == Dims{1}); }

// Scale or zero point along `axis` of the data.
std::string along(const Lowering& at, std::string_view to, std::string_view from) {
  if (is_per_tensor(at)) return text(to, " = Identity(", from, ")\n");
  const int64_t rank = at.rank(0), axis = at.attribute<int64_t>("axis", 1);
  std::vector<int64_t> column(size_t(rank - (axis < 0 ? axis + rank : axis)), 1);
  column[0] = -1;
  return text(to, " = Reshape(", from, ", ", literal(column), ")\n");
}

std::string dequantize_by_hand(Lowering& at) {
  return text(cast("v", "x", DataType::f32), cast("s32", "x_scale", DataType::f32), along(at, "s", "s32"),
              at.has(2) ? text(cast("z32", "x_zero_point", DataType::f32), along(at, "z", "z32"), "d = Sub(v, z)\n") : "d = Identity(v)\n", "y32 = Mul(d, s)\n",
              cast("y", "y32", at.type(1) == DataType::none ? DataType::f32 : at.type(1)));
}

std::string quantize_by_hand(Lowering& at) {
  const DataType to = at.has(2) ? at.type(2) : DataType::u8;
  if (!contains(u8 | i8, to)) at.refuse("numbers of type ", name_of(to), " are not quantised there");
  const int lowest = to == DataType::u8 ? 0 : -128;
  return text(cast("v", "x", DataType::f32), cast("s32", "y_scale", DataType::f32), along(at, "s", "s32"), "q = Div(v, s)\n r = Round(q)\n",
              at.has(2) ? text(cast("z32", "y_zero_point", DataType::f32), along(at, "z", "z32"), "a = Add(r, z)\n") : "a = Identity(r)\n",
              "c = Clip(a, float ", lowest, ", float ", lowest + 255, ")\n", cast("y", "c", to));
}

std::string dequantize_before_23(Lowering& at) {
  const auto wanted = DataType(at.attribute<int64_t>("output_dtype", 0));
  forget(at, "output_dtype");
  if (wanted == DataType::none || wanted == at.type(1)) return "";
  return text(cast("s", "x_scale", wanted), "y = ", called(at.node, at.has(2) ? "x, s, x_zero_point" : "x, s"));
}

std::string dequantize_before_21(Lowering& at) {
  if (at.attribute<int64_t>("block_size", 0)) at.refuse("scales of blocks came with opset 21");
  return "";
}

std::string quantize_before_21(Lowering& at) {
  if (at.attribute<int64_t>("block_size", 0)) at.refuse("scales of blocks came with opset 21");
  const auto wanted = DataType(at.attribute<int64_t>("output_dtype", 0));
  forget(at, "output_dtype");
  if (at.has(2) || wanted == DataType::none || wanted == DataType::u8) return "";
  return text("zero = Sub(y_scale, y_scale)\n", cast("z", "zero", wanted), "y = ", called(at.node, "x, y_scale, z"));
}

std::string quantize_before_19(Lowering& at) {
  forget(at, "saturate");                                 // of small floats only, and they are not quantised to
  if (!contains(f16 | bf16, at.type(0))) return "";
  return text(cast("v", "x", DataType::f32), cast("s", "y_scale", DataType::f32), "y = ", called(at.node, at.has(2) ? "v, s, y_zero_point" : "v, s"));
}

std::string dequantize_before_19(Lowering& at) {
  if (!contains(f16 | bf16, at.type(1))) return "";
  return text(cast("s", "x_scale", DataType::f32), "y32 = ", called(at.node, at.has(2) ? "x, s, x_zero_point" : "x, s"), "\n", cast("y", "y32", at.type(1)));
}

std::string dequantize_before_13(Lowering& at) {
  if (!is_per_tensor(at)) return dequantize_by_hand(at);
  forget(at, "axis");
  return "";
}

std::string quantize_before_13(Lowering& at) {
  if (!is_per_tensor(at)) return quantize_by_hand(at);
  forget(at, "axis");
  return "";
}

constexpr LoweringRule rules[] = {
    {"LayerNormalization", 17, layer_normalization}, {"RMSNormalization", 23, rms_normalization}, {"GroupNormalization", 21, group_normalization},
    {"GroupNormalization", 18, group_normalization_by_group}, {"BatchNormalization", 15, batch_normalization_before_15},
    {"BatchNormalization", 14, batch_normalization_before_14}, {"Dropout", 12, dropout_before_12}, {"GridSample", 20, grid_sample_before_20},
    {"RoiAlign", 16, roi_align_before_16}, {"Resize", 19, resize_before_19}, {"Resize", 18, resize_before_18}, {"Resize", 13, resize_before_13},
    {"Resize", 11, resize_before_11}, {"Resize", 10, resize_before_10}, {"DFT", 20, dft_before_20}, {"MaxPool", 22, pool_before_22}, {"AveragePool", 22, pool_before_22}, {"LpPool", 22, pool_before_22},
    {"LSTM", 14, recurrence_before_14}, {"GRU", 14, recurrence_before_14}, {"RNN", 14, recurrence_before_14},
    {"DequantizeLinear", 23, dequantize_before_23}, {"DequantizeLinear", 21, dequantize_before_21}, {"DequantizeLinear", 19, dequantize_before_19}, {"DequantizeLinear", 13, dequantize_before_13},
    {"DequantizeLinear", 10, dequantize_by_hand}, {"QuantizeLinear", 21, quantize_before_21}, {"QuantizeLinear", 19, quantize_before_19},
    {"QuantizeLinear", 13, quantize_before_13}, {"QuantizeLinear", 10, quantize_by_hand},
};

}  // namespace

std::span<const LoweringRule> network_rules() { return rules; }

}  // namespace onward
