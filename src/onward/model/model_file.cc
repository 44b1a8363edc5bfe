// A model's file and, where protobuf's limit asks for it, the file of its tensors.
#include <filesystem>

#include "onward/model/tensor_proto.h"

namespace onward {
namespace {

constexpr size_t smallest_aside = 1024, page = 4096;      // readers map pages

// The data of a tensor lies in its file as in memory.
bool may_lie_aside(const Tensor& t) { return !contains(str | small_ints | f4e2m1, t.type()) && t.bytes() >= smallest_aside; }

// Numbers places for the tensors of a graph and of those inside it; those that are attributes only where even so the file is too large,
// since few readers look for such.
class Places {
 public:
  explicit Places(bool attributes) : attributes_(attributes) {}
  std::map<std::pair<const void*, size_t>, uint64_t> offsets;
  std::vector<const Tensor*> tensors;                     // in the order of their places

  void add(const Graph& graph) {
    for (const auto& [name, tensor] : graph.initializers) add(tensor);
    for (const Node& node : graph.nodes)
      for (const auto& [name, attribute] : node.attributes) {
        if (const auto* inner = std::get_if<GraphRef>(&attribute)) add(**inner);
        if (const auto* tensor = std::get_if<Tensor>(&attribute); tensor && attributes_) add(*tensor);
      }
  }

 private:
  void add(const Tensor& tensor) {
    if (!may_lie_aside(tensor) || !offsets.try_emplace({tensor.raw(), tensor.bytes()}, end_).second) return;
    tensors.push_back(&tensor);
    end_ += (tensor.bytes() + page - 1) / page * page;
  }
  bool attributes_;
  uint64_t end_ = 0;
};

void write_data(FileWriter& file, const Places& places) {
  for (const Tensor* tensor : places.tensors) {
    file.write(std::string(places.offsets.at({tensor->raw(), tensor->bytes()}) - file.size(), '\0'));
    file.write({tensor->data<char>(), tensor->bytes()});
  }
}

}  // namespace

ModelFile::ModelFile(const Model& model, const std::string& path, uint64_t most) : path_(path) {
  if (path.empty() || !FileWriter::writes_aside(path)) {
    const auto bytes = std::make_shared<const std::string>(write_model(model));
    content_ = {bytes, *bytes};
    return;
  }
  write(model, nullptr);
  for (const bool attributes : {false, true}) {
    if (file_->size() <= most) break;
    Places places(attributes);
    places.add(model.graph);
    if (places.tensors.empty()) continue;
    data_.reset();                                        // two of one name would write into each other
    data_ = std::make_unique<FileWriter>(path + ".data");
    write_data(*data_, places);
    Aside aside{std::filesystem::path(path).filename().string() + ".data", std::move(places.offsets)};
    write(model, &aside);
    data_content_ = data_->so_far();
  }
  content_ = file_->so_far();
}

void ModelFile::write(const Model& model, Aside* aside) {
  file_.reset();
  file_ = std::make_unique<FileWriter>(path_);
  WireWriter w(*file_);
  write_model(w, model, aside);
}

Model ModelFile::read() const {
  ExternalFiles files;
  if (data_) files.emplace(std::filesystem::path(data_->path()).filename().string(), data_content_);
  return read_model(content_.bytes, content_.owner, {}, {}, std::move(files));
}

void ModelFile::commit() {
  if (data_) data_->commit();
  if (file_) file_->commit();
  else if (!path_.empty()) write_file(path_, content_.bytes);
}

void save_model(const Model& model, const std::string& path) { ModelFile(model, path).commit(); }

}  // namespace onward
