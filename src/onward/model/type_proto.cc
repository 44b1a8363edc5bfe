#include "onward/model/type_proto.h"

namespace onward {
namespace {

using Kind = TypeInfo::Kind;
constexpr std::pair<uint32_t, Kind> kinds[] = {{1, Kind::tensor}, {4, Kind::sequence}, {5, Kind::map}, {8, Kind::sparse}, {9, Kind::optional}};

DimInfo read_dim(const WireField& field, ReadContext& context) {
  DimInfo out;
  WireField f;
  for (WireReader r(field.body(), context.file); r.next(f);) {
    if (f.number == 1) out.size = int64_t(f.integer()), out.name.clear();
    if (f.number == 2) out.name = f.text(), out.size.reset();
  }
  if (out.size && *out.size < 0) out.size.reset();        // some writers put -1 for "any"
  return out;
}

std::vector<DimInfo> read_shape(const WireField& field, ReadContext& context) {
  std::vector<DimInfo> out;
  WireField f;
  for (WireReader m(field.body(), context.file); m.next(f);) {
    if (f.number != 1) continue;
    context.charge(sizeof(DimInfo));
    out.push_back(read_dim(f, context));
  }
  return out;
}

// The message of one kind: what is in a tensor, sequence, map or optional.
void read_kind(const WireField& field, ReadContext& context, TypeInfo& out) {
  const bool tensor = out.kind == Kind::tensor || out.kind == Kind::sparse, map = out.kind == Kind::map;
  WireField f;
  for (WireReader r(field.body(), context.file); r.next(f);) {
    if (f.number == 1 && (tensor || map)) {
      out.element = element_type(f.integer());
    } else if (f.number == 2 && tensor) {
      out.shape = read_shape(f, context);
    } else if (f.number == (map ? 2u : 1u) && !tensor) {
      out.item = std::make_shared<const TypeInfo>(read_type(f.body(), context));
    }
  }
}

}  // namespace

TypeInfo read_type(std::string_view bytes, ReadContext& context) {
  const Level level(context);
  context.charge(sizeof(TypeInfo));
  TypeInfo out;
  WireField f;
  for (WireReader m(bytes, context.file); m.next(f);) {
    if (f.number == 6) out.denotation = f.text();
    for (const auto& [number, kind] : kinds) {
      if (f.number != number) continue;
      out = {kind, {}, {}, {}, std::move(out.denotation)};
      read_kind(f, context, out);
    }
  }
  return out;
}

ValueInfo read_value_info(std::string_view bytes, ReadContext& context) {
  context.charge(sizeof(ValueInfo));
  ValueInfo out;
  WireField f;
  for (WireReader m(bytes, context.file); m.next(f);) switch (f.number) {
    case 1: out.name = f.text(); break;
    case 2: out.type = read_type(f.body(), context); break;
    case 3: out.doc = f.text(); break;
    case 4: out.metadata.insert(read_entry(f, context)); break;
    default: break;
  }
  return out;
}

void write_text(WireWriter& w, int field, std::string_view s) {
  if (!s.empty()) w.bytes(field, s);
}

void write_entries(WireWriter& w, int field, const std::map<std::string, std::string>& all) {
  for (const auto& [key, value] : all) w.message(field, [&](WireWriter& e) { e.bytes(1, key), e.bytes(2, value); });
}

void write_type(WireWriter& w, const TypeInfo& type) {
  const auto dim = [](WireWriter& out, const DimInfo& d) { d.size ? out.integer(1, *d.size) : write_text(out, 2, d.name); };
  const auto shape = [&](WireWriter& out) { for (const DimInfo& d : *type.shape) out.message(1, [&](WireWriter& m) { dim(m, d); }); };
  const auto item = [&](WireWriter& out, int field) { if (type.item) out.message(field, [&](WireWriter& m) { write_type(m, *type.item); }); };
  for (const auto& [number, kind] : kinds) {
    if (kind != type.kind) continue;
    w.message(int(number), [&](WireWriter& m) {
      if (kind == Kind::sequence || kind == Kind::optional) return item(m, 1);
      m.integer(1, int64_t(type.element));
      if (kind == Kind::map) item(m, 2);
      else if (type.shape) m.message(2, shape);
    });
  }
  write_text(w, 6, type.denotation);
}

void write_value_info(WireWriter& w, int field, const ValueInfo& v) {
  w.message(field, [&](WireWriter& out) {
    out.bytes(1, v.name);
    if (v.type.kind != Kind::none) out.message(2, [&](WireWriter& t) { write_type(t, v.type); });
    write_text(out, 3, v.doc);
    write_entries(out, 4, v.metadata);
  });
}

}  // namespace onward
