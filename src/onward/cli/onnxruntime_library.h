// ONNX Runtime's own library through its C interface, opened at run time: what `onward bench --vs onnxruntime` measures beside.
#pragma once
#include "onward/validate/table_session.h"

namespace onward::cli {

class OnnxRuntimeLibrary {
 public:
  // Runs that Python to find the library of its package onnxruntime. Throws Error{io}.
  static std::string found_by(const std::string& python);
  // Throws Error{io, unsupported_operator} with what ONNX Runtime said.
  OnnxRuntimeLibrary(const std::string& library, const std::string& model, int threads);
  ~OnnxRuntimeLibrary();
  OnnxRuntimeLibrary(const OnnxRuntimeLibrary&) = delete;

  const std::string& version() const { return version_; }
  // The inputs of the runs to come, read in place: they must outlive those.
  void take(const std::vector<NamedValues>& pieces);
  void run(size_t piece);                                // and releases what came out
  std::vector<std::pair<std::string, Tensor>> answers(size_t piece);   // the tensors among the outputs

 private:
  template <class Function> Function* entry(int index) const { return reinterpret_cast<Function*>(entries_[index]); }
  void check(void* status) const;
  void* input(const Tensor& tensor) const;
  Tensor tensor_of(void* value) const;
  void answer(size_t piece);                             // into values_
  void release_inputs();

  void* const* entries_ = nullptr;                       // ONNX Runtime's table of functions
  void *session_ = nullptr, *memory_ = nullptr, *allocator_ = nullptr;
  std::string version_;
  std::vector<std::string> input_names_, output_names_;
  std::vector<const char*> inputs_, outputs_;            // the same names, as a run takes them
  std::vector<std::vector<void*>> pieces_;
  std::vector<void*> values_;
};

}  // namespace onward::cli
