#include "onward/cli/onnxruntime_library.h"

#include <dlfcn.h>

#include "onward/validate/python.h"

namespace onward::cli {
namespace {

// Places in the table of functions, which new releases only add to; each gives a status unless it releases something.
enum Entry {
  get_error_message = 2, create_env = 3, create_session = 7, run_session = 9, create_session_options = 10, set_intra_op_threads = 24, set_inter_op_threads = 25,
  session_output_count = 31, session_output_name = 37, create_tensor = 48, create_tensor_with_data = 49, is_tensor = 50, tensor_data = 51, fill_strings = 52,
  strings_length = 53, strings_content = 54, element_type = 60, dimensions_count = 61, dimensions = 62, type_and_shape = 65, create_cpu_memory_info = 69,
  default_allocator = 78, release_status = 93, release_session = 95, release_value = 96, release_type_and_shape = 99, release_session_options = 100
};
constexpr uint32_t api_version = 11;
constexpr int log_errors = 3, arena_allocator = 1, default_memory = 0;

struct Base {
  void* const* (*api)(uint32_t version);
  const char* (*version)();
};

// Into the strings, which must outlive what is returned.
std::vector<const char*> pointers(std::span<const std::string> words) {
  std::vector<const char*> out;
  for (const std::string& word : words) out.push_back(word.c_str());
  return out;
}

}  // namespace

std::string OnnxRuntimeLibrary::found_by(const std::string& python) {
  static const char* script =
      "import importlib.util, pathlib\n"
      "spec = importlib.util.find_spec('onnxruntime')\n"
      "found = sorted(pathlib.Path(spec.origin).parent.glob('capi/libonnxruntime.so*')) if spec and spec.origin else []\n"
      "print(found[0] if found else '', end='')\n";
  const std::string path = run_process({python, "-c", script}, nullptr, 20).out;
  if (path.empty()) throw Error(Code::io, text(python, " has no onnxruntime"), "install onnxruntime there, or name another Python with --python");
  return path;
}

OnnxRuntimeLibrary::OnnxRuntimeLibrary(const std::string& library, const std::string& model, int threads) {
  void* opened = dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!opened) fail(Code::io, library, ": ", dlerror());
  const auto base = reinterpret_cast<const Base* (*)()>(dlsym(opened, "OrtGetApiBase"));
  entries_ = base ? base()->api(api_version) : nullptr;
  if (!entries_) fail(Code::io, library, ": is not ONNX Runtime, or older than 1.11");
  version_ = base()->version();
  void *environment = nullptr, *options = nullptr;
  check(entry<void*(int, const char*, void**)>(create_env)(log_errors, "onward", &environment));
  check(entry<void*(void**)>(create_session_options)(&options));
  check(entry<void*(void*, int)>(set_intra_op_threads)(options, threads));
  check(entry<void*(void*, int)>(set_inter_op_threads)(options, 1));
  void* problem = entry<void*(void*, const char*, void*, void**)>(create_session)(environment, model.c_str(), options, &session_);
  entry<void(void*)>(release_session_options)(options);
  check(problem);
  check(entry<void*(int, int, void**)>(create_cpu_memory_info)(arena_allocator, default_memory, &memory_));
  check(entry<void*(void**)>(default_allocator)(&allocator_));
  size_t outputs = 0;
  check(entry<void*(void*, size_t*)>(session_output_count)(session_, &outputs));
  for (size_t i = 0; i < outputs; ++i) {
    char* name = nullptr;                                // a few bytes, the allocator's, until the program ends
    check(entry<void*(void*, size_t, void*, char**)>(session_output_name)(session_, i, allocator_, &name));
    output_names_.emplace_back(name);
  }
  outputs_ = pointers(output_names_);
}

OnnxRuntimeLibrary::~OnnxRuntimeLibrary() {
  release_inputs();
  if (session_) entry<void(void*)>(release_session)(session_);
}

void OnnxRuntimeLibrary::check(void* status) const {
  if (!status) return;
  const std::string said = entry<const char*(void*)>(get_error_message)(status);
  entry<void(void*)>(release_status)(status);
  fail(Code::unsupported_operator, said);
}

void OnnxRuntimeLibrary::release_inputs() {
  for (const auto& piece : pieces_) for (void* value : piece) entry<void(void*)>(release_value)(value);
  pieces_.clear();
}

void OnnxRuntimeLibrary::take(const std::vector<NamedValues>& pieces) {
  release_inputs();
  input_names_.clear();
  for (const auto& [name, value] : pieces.front()) input_names_.push_back(name);
  inputs_ = pointers(input_names_);
  for (const NamedValues& piece : pieces) {
    auto& inputs = pieces_.emplace_back();
    for (const auto& [name, value] : piece) inputs.push_back(input(*value.tensor()));
  }
}

void* OnnxRuntimeLibrary::input(const Tensor& tensor) const {
  const std::vector<int64_t> dims(tensor.dims().begin(), tensor.dims().end());
  if (tensor.type() > DataType::bf16) fail(Code::unsupported_operator, "inputs of type ", name_of(tensor.type()), " are not measured beside it");
  void* value = nullptr;
  if (tensor.type() != DataType::str) {
    check(entry<void*(void*, void*, size_t, const int64_t*, size_t, int, void**)>(create_tensor_with_data)(memory_, tensor.raw(), tensor.bytes(), dims.data(), dims.size(),
                                                                                                          int(tensor.type()), &value));
    return value;
  }
  check(entry<void*(void*, const int64_t*, size_t, int, void**)>(create_tensor)(allocator_, dims.data(), dims.size(), int(tensor.type()), &value));
  const std::vector<const char*> texts = pointers(tensor.values<std::string>());
  check(entry<void*(void*, const char* const*, size_t)>(fill_strings)(value, texts.data(), texts.size()));
  return value;
}

void OnnxRuntimeLibrary::answer(size_t piece) {
  values_.assign(output_names_.size(), nullptr);
  check(entry<void*(void*, const void*, const char* const*, void* const*, size_t, const char* const*, size_t, void**)>(run_session)(
      session_, nullptr, inputs_.data(), pieces_[piece].data(), inputs_.size(), outputs_.data(), outputs_.size(), values_.data()));
}

void OnnxRuntimeLibrary::run(size_t piece) {
  answer(piece);
  for (void* value : values_) entry<void(void*)>(release_value)(value);
}

std::vector<std::pair<std::string, Tensor>> OnnxRuntimeLibrary::answers(size_t piece) {
  std::vector<std::pair<std::string, Tensor>> found;
  answer(piece);
  for (size_t i = 0; i < values_.size(); ++i) {
    int tensor = 0;
    check(entry<void*(const void*, int*)>(is_tensor)(values_[i], &tensor));
    if (tensor) found.emplace_back(output_names_[i], tensor_of(values_[i]));
    entry<void(void*)>(release_value)(values_[i]);
  }
  return found;
}

Tensor OnnxRuntimeLibrary::tensor_of(void* value) const {
  void *shape = nullptr, *data = nullptr;
  size_t rank = 0;
  int type = 0;
  check(entry<void*(const void*, void**)>(type_and_shape)(value, &shape));
  check(entry<void*(const void*, int*)>(element_type)(shape, &type));
  check(entry<void*(const void*, size_t*)>(dimensions_count)(shape, &rank));
  std::vector<int64_t> sizes(rank);
  check(entry<void*(const void*, int64_t*, size_t)>(dimensions)(shape, sizes.data(), rank));
  entry<void(void*)>(release_type_and_shape)(shape);
  if (type <= 0 || type > int(DataType::bf16)) fail(Code::unsupported_operator, "outputs of its type ", type, " are not compared");
  Tensor out(DataType(type), Dims(sizes.begin(), sizes.end()));
  if (out.type() != DataType::str) {
    check(entry<void*(void*, void**)>(tensor_data)(value, &data));
    if (out.bytes()) std::memcpy(out.raw(), data, out.bytes());
    return out;
  }
  size_t length = 0;
  check(entry<void*(const void*, size_t*)>(strings_length)(value, &length));
  std::string all(length, '\0');
  std::vector<size_t> starts(size_t(out.size()) + 1, length);
  check(entry<void*(const void*, void*, size_t, size_t*, size_t)>(strings_content)(value, all.data(), length, starts.data(), size_t(out.size())));
  for (int64_t i = 0; i < out.size(); ++i) out.data<std::string>()[i] = all.substr(starts[size_t(i)], starts[size_t(i) + 1] - starts[size_t(i)]);
  return out;
}

}  // namespace onward::cli
