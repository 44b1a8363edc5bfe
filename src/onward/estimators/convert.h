// A fitted estimator -> an ONNX model with its input schema in the metadata.
#pragma once
#include "onward/estimators/estimator.h"
#include "onward/graph/expression.h"
#include "onward/model/schema.h"

namespace onward {

// A column computed from others: a new one, or one in the place of an input of that name.
struct NewColumn {
  std::string name;
  Expression value;
};
NewColumn parse_step(const std::string& text);  // "NAME=EXPRESSION"; throws Error{usage}

enum class Inputs : uint8_t { automatic, matrix, columns };  // automatic: as the estimator was fitted

struct ConvertOptions {
  std::vector<std::string> outputs =
      {};  // of label, probabilities, log_probabilities, scores, variable, transformed, leaf, score_samples, distances, neighbors, std; empty: the usual
  Inputs inputs = Inputs::automatic;
  DataType input_type = DataType::none;               // of all numeric inputs: f32 or f64; none: what the fitted fields prove, else f64
  std::map<std::string, DataType> column_types = {};  // of single columns, by a schema or an example; stronger than input_type
  std::vector<std::string> columns = {};              // of a table that the model may take, where the model does not say
  std::vector<NewColumn> steps = {};                  // computed before the model, in order
  std::shared_ptr<const Registry> registry = {};      // none: the built-in converters
  bool own_ops = false;                               // operators of our own domain, com.onward, may be used
  std::string source_sha256 = {};
};

// Throws Error{unsupported_estimator, bad_file, usage} with every reason it can name.
Model convert(const Estimator&, const ConvertOptions& = {});

}  // namespace onward
