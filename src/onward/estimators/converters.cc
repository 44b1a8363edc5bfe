#include "onward/estimators/converters.h"

#include "onward/estimators/fields.h"

namespace onward {
namespace {

struct Custom {
  static constexpr bool takes_missing = true, takes_infinity = true;  // its converter says what it refuses
  std::shared_ptr<const CustomConverter> converter;
  Fitted fitted;
  Outputs operator()(const Frame& x) const {
    return converter->convert(fitted, x);
  }
};

}  // namespace

Definition definition_of(CustomConverter converter) {
  const size_t dot = converter.class_name.rfind('.');
  if (dot == std::string::npos || dot == 0 || dot + 1 == converter.class_name.size())
    throw Error(Code::usage, text("a converter for '", clipped(converter.class_name), "': expected the class with its module"), "package.module.Class");
  const auto kept = std::make_shared<const CustomConverter>(std::move(converter));
  Definition made{kept->class_name, {}, [kept](Fields& fields) { return Estimator(Custom{kept, fields.fitted()}, fields.facts()); }};
  made.may_be_stateless = true;
  return made;
}

Tensor tensor_of(const Fitted& part) {
  static const Registry none;
  Reading reading{none, part.document};
  Fields fields(reading, plain::Value(), Place());
  Tensor made;
  fields.assign("the value", part.value, made, {});
  refuse_problems(reading.problems);
  return made;
}

Outputs convert_part(const Fitted& part, const Frame& x) {
  if (!part.document || !x.graph().registry) fail(Code::usage, "the converter gives no part of what it was given");
  plain::Document document = *part.document;
  document.root = part.value;
  const ReadModel inner = read_estimator(document, *x.graph().registry, x.graph().own_ops);
  refuse_problems(inner.problems);
  return inner.estimator(x);
}

}  // namespace onward
