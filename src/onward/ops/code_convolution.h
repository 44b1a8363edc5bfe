// Exact convolutions of 8-bit tensors: what QLinearConv (the standard's and ONNX Runtime's) and ConvInteger share.
#pragma once
#include "onward/ops/code_product.h"
#include "onward/ops/convolution.h"

namespace onward {

inline Dims channels_first(Dims dims) {
  if (dims.size() > 2) std::rotate(dims.begin() + 1, dims.end() - 1, dims.end());
  return dims;
}
inline Dims channels_last(Dims dims) {
  if (dims.size() > 2) std::rotate(dims.begin() + 1, dims.begin() + 2, dims.end());
  return dims;
}
// With the channels in the other place.
Tensor with_channels_first(const Tensor& x);
Tensor with_channels_last(const Tensor& x);

// Weights of uint8 or int8 made ready; their zero points are none, one, or one for each filter.
struct CodeFilters {
  static std::shared_ptr<const CodeFilters> of(const Tensor& w, const Tensor* zero, int64_t group);      // null: of other types or shapes
  // Of the inputs `w` and `zero` of a node, where they are constants.
  static std::shared_ptr<const CodeFilters> constant(const Preparation& at, size_t w, size_t zero, int64_t group);
  std::vector<PackedCodes> groups;                        // a column for each filter, tap by tap with the channels together
  std::vector<int32_t> taps;                              // where every group is one channel and one filter: [tap][filter], less the zero point
  std::vector<int8_t> fours;                              // the same for taps_kernel, where it serves
};

// Sums of y[n][position][filter], of shape y_dims; the channels of x stand in its last axis (`last`) or its second. Its zero point is
// `zero`, those of the weights `w_zero` or null. The bias, of every filter, may be null.
struct CodeConvolution {
  const Convolution& form;
  const Tensor &x, &w;
  const Tensor* w_zero;
  bool last;
  int32_t zero;
  const int32_t* bias;
};
void code_convolution(const RunContext& context, const CodeConvolution& operands, const CodeFilters& filters, std::span<const int64_t> y_dims, int32_t* y);

// All of QLinearConv: inputs x, scale, zero, w, scale, zero, scale and zero of y, bias. `filters` may be null.
void quantized_convolution(Call& call, const Convolution& form, bool channels_last, std::shared_ptr<const CodeFilters> filters);

}  // namespace onward
