// What onward knows of ONNX Runtime's own operators: signatures, meanings, and what it says of those it does not run.
#include <gtest/gtest.h>

#include "onward/model/text.h"
#include "onward/ops/check_nodes.h"
#include "onward/ops/contrib_signatures.h"
#include "onward/ops/operator.h"
#include "onward/ops/upgrade.h"

namespace onward {
namespace {

Model model_of(std::string_view text) {
  Model model;
  model.graph = parse_nodes(text);
  model.opsets = {{"", 17}, {"com.microsoft", 1}, {"com.microsoft.nchwc", 1}};
  return model;
}

Error refusal(std::string_view text) {
  try {
    Model model = model_of(text);
    check_nodes(model);
    modernise(model);
  } catch (const Error& e) {
    return e;
  }
  ADD_FAILURE() << "accepted: " << text;
  return {Code::internal, "", ""};
}

TEST(ContribSignatures, EveryMeaningBelongsToASignatureAndNeedsNoKernel) {
  for (const ContribMeaning& m : contrib_meanings()) {
    const Signature* form = signature(m.domain, m.op);
    ASSERT_TRUE(form) << m.op;
    EXPECT_EQ(form->body, m.body);
    EXPECT_NO_THROW(parse_nodes(m.body)) << m.op;
    EXPECT_FALSE(find_operator(m.domain, m.op)) << m.op;
  }
}

TEST(ContribSignatures, OperatorsBelongToTheTable) {
  for (const Operator& op : all_operators())
    if (op.name.domain == "com.microsoft") { EXPECT_TRUE(signature(op.name.domain, op.name.op)) << op.name.op; }
}

TEST(ContribSignatures, ANodeBecomesItsMeaning) {
  Model model = model_of("y = com.microsoft.Gelu(float [1])");
  modernise(model);
  ASSERT_EQ(model.graph.nodes.size(), 1u);
  EXPECT_EQ(model.graph.nodes[0].domain, "");
  EXPECT_EQ(model.graph.nodes[0].op, "Gelu");
}

TEST(ContribSignatures, WhatIsRefusedHasNoKernelAndSaysWhatToDo) {
  for (const ContribRefusal& r : contrib_refusals()) {
    const Signature* form = signature("com.microsoft", r.op);
    ASSERT_TRUE(form) << r.op;
    EXPECT_TRUE(form->body.empty() && !find_operator("com.microsoft", r.op)) << r.op;
    EXPECT_FALSE(r.hint.empty()) << r.op;
  }
  const Error e = refusal("y = com.microsoft.EPContext(float [1])");
  EXPECT_EQ(e.message, "node 'y' (com.microsoft.EPContext): operator com.microsoft.EPContext holds a graph compiled for one execution provider");
  EXPECT_EQ(e.hint, "use the model that it was compiled from");
  EXPECT_EQ(missing_operators(model_of("y = com.microsoft.EPContext(float [1])")).at(0), "com.microsoft EPContext: holds a graph compiled for one execution provider; use the model that it was compiled from");
}

// ONNX Runtime writes this one into models of opsets that have no LayerNormalization.
TEST(ContribSignatures, LayerNormalizationBeforeOpset17IsThatOfNow) {
  Model model = model_of("y = LayerNormalization(float [[1, 3]], float [1, 1])");
  model.opsets[""] = 13;
  check_nodes(model);
  EXPECT_NO_THROW(modernise(model));
}

TEST(ContribSignatures, WhatDoesNotFitIsNamed) {
  EXPECT_EQ(refusal("y = com.microsoft.Gelu(float [1], float [1], float [1])").message, "node 'y' (com.microsoft.Gelu): has 3 inputs, the signature allows 1");
  const Error attribute = refusal("y = com.microsoft.QuickGelu(float [1]; alhpa=1.0)");
  EXPECT_EQ(attribute.hint, "did you mean 'alpha'?");
  EXPECT_EQ(refusal("y = com.microsoft.Snpe(float [1]; DLC=\"\")").code, Code::unsupported_operator);
  EXPECT_EQ(refusal("y = com.microsoft.NotThere(float [1])").code, Code::unsupported_operator);
  const Error nchwc = refusal("y = com.microsoft.nchwc.Conv(float [1])");
  EXPECT_EQ(nchwc.code, Code::unsupported_operator);
  EXPECT_NE(nchwc.hint.find("ORT_ENABLE_EXTENDED"), std::string::npos);
}

}  // namespace
}  // namespace onward
