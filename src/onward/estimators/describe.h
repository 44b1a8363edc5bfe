// What a caller needs to feed the model from a table: the schema, written into the file so that the file is enough.
#pragma once
#include "onward/estimators/outputs.h"

namespace onward {

// `graph` is the finished one: its names are the ones the schema speaks of.
Schema describe(const Graph& graph, const Conversion& conversion, const std::vector<NamedOutput>& outputs, const Facts& facts,
                const ConvertOptions& options);

}  // namespace onward
