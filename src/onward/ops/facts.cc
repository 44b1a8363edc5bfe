// Between what a file declares of a value and what inference knows of it.
#include "onward/ops/graph_inference.h"

namespace onward {

Fact declared_fact(const TypeInfo& type, Symbols& symbols) {
  Fact fact{.type = type.element, .kind = type.kind == TypeInfo::Kind::none || type.kind == TypeInfo::Kind::sparse ? TypeInfo::Kind::tensor : type.kind};
  if (type.item) {
    Fact item = declared_fact(*type.item, symbols);
    if (item.dims && type.kind == TypeInfo::Kind::sequence) for (int64_t& size : *item.dims) if (is_symbol(size)) size = differs;
    fact.item = std::make_shared<const Fact>(std::move(item));
  }
  if (!type.shape) return fact;
  fact.dims.emplace();
  for (const DimInfo& d : *type.shape) {
    const bool known = d.size && *d.size >= 0;             // some writers say -1 for a size they do not know
    fact.dims->push_back(known ? *d.size : d.name.empty() ? symbols.fresh() : symbols.declared(d.name));
  }
  return fact;
}

TypeInfo type_of_fact(const Fact& fact, const Symbols& symbols) {
  TypeInfo out;
  if (fact.kind == TypeInfo::Kind::tensor && fact.type == DataType::none) return out;
  out.kind = fact.kind, out.element = fact.type;
  if (fact.item) out.item = std::make_shared<const TypeInfo>(type_of_fact(*fact.item, symbols));
  if (!fact.dims) return out;
  out.shape.emplace();
  for (int64_t d : *fact.dims) out.shape->push_back(d == differs ? DimInfo{} : is_symbol(d) ? DimInfo{{}, symbols.name(d)} : DimInfo{d, {}});
  return out;
}

std::string contradiction(const TypeInfo& declared, const Fact& fact, const Symbols& symbols) {
  const auto differ = [&] { return text("declared as ", shown(declared), ", inferred as ", shown(type_of_fact(fact, symbols))); };
  const bool silent = declared.kind == TypeInfo::Kind::none || declared.kind == TypeInfo::Kind::sparse;
  if (silent || (fact.kind == TypeInfo::Kind::tensor && fact.type == DataType::none)) return {};
  if (declared.kind != fact.kind || (declared.element != DataType::none && declared.element != fact.type)) return differ();
  if (declared.item && fact.item) return contradiction(*declared.item, *fact.item, symbols).empty() ? std::string() : differ();
  if (!declared.shape || !fact.dims) return {};
  if (declared.shape->size() != fact.dims->size()) return differ();
  for (size_t i = 0; i < fact.dims->size(); ++i) {
    const auto& size = (*declared.shape)[i].size;
    if (size && *size >= 0 && (*fact.dims)[i] >= 0 && *size != (*fact.dims)[i]) return differ();
  }
  return {};
}

Fact completed(Fact fact, const TypeInfo& declared, Symbols& symbols) {
  if (fact.kind == TypeInfo::Kind::tensor && fact.type == DataType::none) {
    Fact all = declared_fact(declared, symbols);
    if (!all.dims) all.dims = fact.dims;
    return all;
  }
  if (!fact.item && declared.item) fact.item = declared_fact(declared, symbols).item;
  if (!declared.shape || declared.kind != TypeInfo::Kind::tensor) return fact;
  if (!fact.dims) return fact.dims = declared_fact(declared, symbols).dims, fact;
  if (fact.dims->size() != declared.shape->size()) return fact;
  for (size_t i = 0; i < fact.dims->size(); ++i) {
    int64_t& known = (*fact.dims)[i];
    const DimInfo& d = (*declared.shape)[i];
    if (!symbols.is_fresh(known)) continue;
    if (d.size && *d.size >= 0) known = *d.size;
    else if (!d.size && !d.name.empty()) known = symbols.declared(d.name);
  }
  return fact;
}

}  // namespace onward
