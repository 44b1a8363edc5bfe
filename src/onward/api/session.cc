// Sessions: what their models take and give.
#include "onward/api/boundary.h"
#include "onward/base/suggest.h"
#include "onward/model/onnx_file.h"
#include "onward/model/schema.h"
#include "onward/runtime/profile.h"

using namespace onward;
using onward::api::buffer_of;
using onward::api::guarded;
using onward::api::require;

// As ONNX Runtime writes types: "tensor(double)", "seq(map(int64,tensor(float)))".
static std::string written(const TypeInfo& type) {
  switch (type.kind) {
    case TypeInfo::Kind::tensor: return text("tensor(", name_of(type.element), ")");
    case TypeInfo::Kind::sparse: return text("sparse_tensor(", name_of(type.element), ")");
    case TypeInfo::Kind::sequence: return text("seq(", type.item ? written(*type.item) : "", ")");
    case TypeInfo::Kind::optional: return text("optional(", type.item ? written(*type.item) : "", ")");
    case TypeInfo::Kind::map: return text("map(", name_of(type.element), ",", type.item ? written(*type.item) : "", ")");
    case TypeInfo::Kind::none: break;
  }
  return "";
}

static onward_port port_of(const ValueInfo& info) {
  onward_port port{info.name, written(info.type)};
  if (info.type.kind != TypeInfo::Kind::tensor) return port;
  port.element = info.type.element;
  if (!info.type.shape) return port;
  port.rank = int(info.type.shape->size());
  for (const DimInfo& d : *info.type.shape) port.dims.push_back(d.size.value_or(-1)), port.dim_names.push_back(d.name);
  return port;
}

static onward_session* handle_of(std::shared_ptr<Session> session) {
  auto handle = std::make_unique<onward_session>();
  for (const ValueInfo& info : session->inputs()) handle->inputs.push_back(port_of(info));
  for (const ValueInfo& info : session->outputs()) handle->outputs.push_back(port_of(info));
  handle->session = std::move(session);
  return handle.release();
}

static void fix(Model& model, const onward_session_options& options) {
  for (auto* infos : {&model.graph.inputs, &model.graph.outputs, &model.graph.values})
    for (ValueInfo& info : *infos) {
      if (!info.type.shape) continue;
      for (DimInfo& d : *info.type.shape)
        if (const auto fixed = options.dims.find(d.name); fixed != options.dims.end() && !d.size) d = {fixed->second, ""};
    }
  std::vector<std::string> names;
  for (const auto& [name, tensor] : model.graph.initializers) names.push_back(name);
  for (const auto& [name, tensor] : options.initializers) {
    const auto replaced = model.graph.initializers.find(name);
    if (replaced == model.graph.initializers.end()) fail(Code::usage, "the model has no initializer '", name, "'", suggestion(name, names));
    if (replaced->second.type() != tensor.type() || replaced->second.dims() != tensor.dims())
      fail(Code::bad_input, "initializer '", name, "': expected ", shown(replaced->second), ", given ", shown(tensor));
    replaced->second = tensor;
  }
}

static std::shared_ptr<Session> load(const std::string& path, const onward_session_options& options) {
  if (options.dims.empty() && options.initializers.empty()) return Session::load(path, options.options);
  Model model = load_model(path);
  fix(model, options);
  return std::make_shared<Session>(std::move(model), options.options);
}

static std::shared_ptr<Session> load_bytes(std::string_view bytes, const onward_session_options& options) {
  if (options.dims.empty() && options.initializers.empty()) return Session::load_bytes(bytes, options.options);
  const auto copy = std::make_shared<const std::string>(bytes);
  Model model = read_model(*copy, copy);
  fix(model, options);
  return std::make_shared<Session>(std::move(model), options.options);
}

onward_status* onward_session_create(const char* path, const onward_session_options* options, onward_session** session) {
  return guarded([&] {
    require(path, "path"), require(session, "session");
    *session = handle_of(load(path, options ? *options : onward_session_options{}));
  });
}

onward_status* onward_session_create_from_bytes(const void* bytes, size_t size, const onward_session_options* options, onward_session** session) {
  return guarded([&] {
    require(bytes, "bytes"), require(session, "session");
    *session = handle_of(load_bytes({static_cast<const char*>(bytes), size}, options ? *options : onward_session_options{}));
  });
}

void onward_session_release(onward_session* session) { delete session; }

static void give_port(const std::vector<onward_port>& ports, size_t index, const onward_port** port, const char* kind) {
  require(port, "port");
  if (index >= ports.size()) fail(Code::usage, kind, " ", index, " does not exist; the model has ", ports.size());
  *port = &ports[index];
}

onward_status* onward_session_input_count(const onward_session* session, size_t* count) {
  return guarded([&] { require(session, "session"), require(count, "count"), *count = session->inputs.size(); });
}
onward_status* onward_session_output_count(const onward_session* session, size_t* count) {
  return guarded([&] { require(session, "session"), require(count, "count"), *count = session->outputs.size(); });
}
onward_status* onward_session_input(const onward_session* session, size_t index, const onward_port** port) {
  return guarded([&] { require(session, "session"), give_port(session->inputs, index, port, "input"); });
}
onward_status* onward_session_output(const onward_session* session, size_t index, const onward_port** port) {
  return guarded([&] { require(session, "session"), give_port(session->outputs, index, port, "output"); });
}
onward_status* onward_session_input_index(const onward_session* session, const char* name, size_t* index) {
  return guarded([&] { require(session, "session"), require(name, "name"), require(index, "index"), *index = session->session->input_index(name); });
}
onward_status* onward_session_output_index(const onward_session* session, const char* name, size_t* index) {
  return guarded([&] { require(session, "session"), require(name, "name"), require(index, "index"), *index = session->session->output_index(name); });
}

const char* onward_port_name(const onward_port* port) { return port ? port->name.c_str() : ""; }
const char* onward_port_type(const onward_port* port) { return port ? port->type.c_str() : ""; }
int onward_port_element_type(const onward_port* port) { return port ? int(port->element) : 0; }
int onward_port_rank(const onward_port* port) { return port ? port->rank : -1; }
int64_t onward_port_dim(const onward_port* port, int axis) { return port && axis >= 0 && axis < port->rank ? port->dims[size_t(axis)] : -1; }
const char* onward_port_dim_name(const onward_port* port, int axis) { return port && axis >= 0 && axis < port->rank ? port->dim_names[size_t(axis)].c_str() : ""; }

onward_status* onward_session_model_text(const onward_session* session, int which, const char** text) {
  return guarded([&] {
    require(session, "session"), require(text, "text");
    const Model& model = session->session->model();
    switch (which) {
      case ONWARD_MODEL_PRODUCER: *text = model.producer.c_str(); return;
      case ONWARD_MODEL_PRODUCER_VERSION: *text = model.producer_version.c_str(); return;
      case ONWARD_MODEL_DOMAIN: *text = model.domain.c_str(); return;
      case ONWARD_MODEL_DESCRIPTION: *text = model.doc.c_str(); return;
      case ONWARD_MODEL_GRAPH_NAME: *text = model.graph.name.c_str(); return;
      case ONWARD_MODEL_GRAPH_DESCRIPTION: *text = model.graph.doc.c_str(); return;
    }
    fail(Code::usage, "model text ", which, " does not exist");
  });
}

onward_status* onward_session_model_version(const onward_session* session, int64_t* version) {
  return guarded([&] { require(session, "session"), require(version, "version"), *version = session->session->model().model_version; });
}

onward_status* onward_session_metadata_count(const onward_session* session, size_t* count) {
  return guarded([&] { require(session, "session"), require(count, "count"), *count = session->session->model().metadata.size(); });
}

onward_status* onward_session_metadata(const onward_session* session, size_t index, const char** key, const char** value) {
  return guarded([&] {
    require(session, "session"), require(key, "key"), require(value, "value");
    const auto& metadata = session->session->model().metadata;
    if (index >= metadata.size()) fail(Code::usage, "metadata entry ", index, " does not exist; the model has ", metadata.size());
    const auto entry = std::next(metadata.begin(), ptrdiff_t(index));
    *key = entry->first.c_str(), *value = entry->second.c_str();
  });
}

onward_status* onward_session_metadata_value(const onward_session* session, const char* key, const char** value) {
  return guarded([&] {
    require(session, "session"), require(key, "key"), require(value, "value");
    const auto& metadata = session->session->model().metadata;
    const auto entry = metadata.find(key);
    *value = entry == metadata.end() ? nullptr : entry->second.c_str();
  });
}

onward_status* onward_session_opset_count(const onward_session* session, size_t* count) {
  return guarded([&] { require(session, "session"), require(count, "count"), *count = session->session->opsets().size(); });
}

onward_status* onward_session_opset(const onward_session* session, size_t index, const char** domain, int64_t* version) {
  return guarded([&] {
    require(session, "session"), require(domain, "domain"), require(version, "version");
    const Opsets& opsets = session->session->opsets();
    if (index >= opsets.size()) fail(Code::usage, "opset ", index, " does not exist; the model has ", opsets.size());
    const auto entry = std::next(opsets.begin(), ptrdiff_t(index));
    *domain = entry->first.c_str(), *version = entry->second;
  });
}

onward_status* onward_session_schema(const onward_session* session, onward_buffer** json) {
  return guarded([&] { require(session, "session"), require(json, "json"), *json = buffer_of(write_schema(schema_of(session->session->model()))); });
}

onward_status* onward_session_optimized_model(const onward_session* session, onward_buffer** model) {
  return guarded([&] { require(session, "session"), require(model, "model"), *model = buffer_of(write_model(session->session->optimized())); });
}

onward_status* onward_session_profile(const onward_session* session, onward_buffer** json) {
  return guarded([&] {
    require(session, "session"), require(json, "json");
    const Profile* profile = session->session->profile();
    if (!profile) throw Error(Code::usage, "this session does not profile", "create it with profiling on");
    *json = buffer_of(profile->json());
  });
}
