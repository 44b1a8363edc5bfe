// The labels of an ai.onnx.ml classifier: integers or strings.
#pragma once
#include "onward/ops/operator.h"

namespace onward {

struct ClassLabels {
  std::vector<int64_t> integers;
  std::vector<std::string> strings;

  // Throws unless exactly one list is given.
  void check() const {
    if (integers.empty() == strings.empty()) fail(Code::bad_model, "expected either integer or string class labels, found ", integers.size(), " and ", strings.size());
  }
  int64_t size() const { return int64_t(std::max(integers.size(), strings.size())); }
  DataType type() const { return strings.empty() ? DataType::i64 : DataType::str; }
  // The label of class k; a number beyond the list (a second class that has no name) as ONNX Runtime writes it.
  void write(int64_t k, const Tensor& labels, int64_t row) const {
    if (type() == DataType::str) labels.data<std::string>()[row] = k >= 0 && k < size() ? strings[size_t(k)] : std::string();
    else labels.data<int64_t>()[row] = k >= 0 && k < size() ? integers[size_t(k)] : k;
  }
};

}  // namespace onward
