// Which versions were released together.
#pragma once
#include "onward/model/graph.h"

namespace onward {

int64_t newest_version(std::string_view domain);          // that the standard's table knows; 0 for other domains
int64_t ml_version_with(int64_t opset);                   // of ai.onnx.ml, in the release that brought this opset of ai.onnx

}  // namespace onward
