// Tensors whose bytes lie in other files. Those may only lie inside the model's folder, whatever links and dots say.
#include <charconv>
#include <climits>
#include <cstdlib>

#include "onward/model/tensor_proto.h"

namespace onward {
namespace {

uint64_t number(const ExternalData& given, std::string_view key, uint64_t otherwise) {
  const auto it = given.find(key);
  if (it == given.end()) return otherwise;
  const std::string& s = it->second;
  uint64_t v = 0;
  const auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), v);
  if (error != std::errc() || end != s.data() + s.size()) fail(Code::bad_model, "external data: ", key, " is '", s, "', expected a number");
  return v;
}

bool stays_inside(std::string_view location) {
  if (location.empty() || location[0] == '/' || location.find('\0') != location.npos) return false;
  for (size_t at = 0; at <= location.size();) {
    const size_t end = std::min(location.find('/', at), location.size());
    if (location.substr(at, end - at) == "..") return false;
    at = end + 1;
  }
  return true;
}

MappedFile opened(const std::string& folder, const std::string& location) {
  if (!stays_inside(location)) fail(Code::bad_model, "external data: '", location, "' is not a path inside the model's folder");
  char root[PATH_MAX], real[PATH_MAX];
  if (!realpath(folder.c_str(), root)) fail(Code::io, folder, ": cannot be opened");
  if (!realpath((folder + "/" + location).c_str(), real)) fail(Code::io, "external data '", location, "' cannot be opened");
  const std::string inside = std::string(root) + (std::string_view(root) == "/" ? "" : "/");
  if (!std::string_view(real).starts_with(inside)) fail(Code::bad_model, "external data: '", location, "' is outside the model's folder");
  return map_file(real);
}

}  // namespace

std::string_view external_bytes(const ExternalData& given, ReadContext& context, std::shared_ptr<const void>& owner) {
  const auto it = given.find("location");
  if (it == given.end()) fail(Code::bad_model, "external data without a location");
  const std::string& location = it->second;
  auto file = context.external.find(location);
  if (context.folder.empty() && file == context.external.end())
    fail(Code::bad_model, "external data ('", location, "') of a model that is not read from a file");
  if (file == context.external.end()) {
    file = context.external.emplace(location, opened(context.folder, location)).first;
    context.objects_left += 8 * file->second.bytes.size();
  }
  const std::string_view all = file->second.bytes;
  const uint64_t offset = number(given, "offset", 0);
  if (offset > all.size()) fail(Code::bad_model, "external data: offset ", offset, " is behind the end of '", location, "' (", all.size(), " bytes)");
  const uint64_t length = number(given, "length", all.size() - offset);
  if (length > all.size() - offset) fail(Code::bad_model, "external data: ", length, " bytes at ", offset, " are asked of '", location, "', which has ", all.size());
  owner = file->second.owner;
  return all.substr(offset, length);
}

const uint64_t* Aside::offset_of(const Tensor& tensor) const {
  const auto it = offsets.find({tensor.raw(), tensor.bytes()});
  return it == offsets.end() ? nullptr : &it->second;
}

void write_place(WireWriter& w, const std::string& location, uint64_t offset, uint64_t length) {
  constexpr int external_data = 13, data_location = 14, external = 1;
  const std::pair<std::string_view, std::string> entries[] = {{"location", location}, {"offset", text(offset)}, {"length", text(length)}};
  for (const auto& [key, value] : entries) w.message(external_data, [&](WireWriter& m) { m.bytes(1, key), m.bytes(2, value); });
  w.integer(data_location, external);
}

}  // namespace onward
