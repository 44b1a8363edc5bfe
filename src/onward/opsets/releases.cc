#include "onward/opsets/releases.h"

#include "onward/opsets/convert_opsets.h"
#include "onward/ops/signature.h"

namespace onward {
namespace {

// The first release of each opset of ai.onnx, as the standard's Versioning.md lists them.
struct Release { int opset, ml, ir; };
constexpr Release releases[] = {
    {8, 1, 3},  {9, 1, 4},  {10, 1, 5},  {11, 2, 6},  {14, 2, 7},  {15, 2, 8},  {18, 3, 8},  {19, 3, 9},
    {20, 4, 9}, {22, 5, 10}, {23, 5, 11}, {24, 5, 12}, {27, 5, 13}, {28, 5, 14},
};

const Release& release_of(int64_t opset) {
  for (const Release& r : releases) if (opset <= r.opset) return r;
  return std::end(releases)[-1];
}

}  // namespace

int64_t newest_version(std::string_view domain) {
  int64_t newest = 0;
  for (const Signature& s : standard_signatures()) if (s.domain == domain) newest = std::max<int64_t>(newest, s.since);
  return newest;
}

int64_t ml_version_with(int64_t opset) { return release_of(opset).ml; }

int64_t ir_version_of(const Opsets& opsets) {
  int64_t ir = 3;
  if (const auto it = opsets.find(""); it != opsets.end()) ir = release_of(it->second).ir;
  if (const auto it = opsets.find("ai.onnx.ml"); it != opsets.end())
    for (const Release& r : releases) if (r.ml >= it->second) { ir = std::max<int64_t>(ir, r.ir); break; }
  return ir;
}

}  // namespace onward
