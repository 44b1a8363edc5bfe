// What a user is told about a file that cannot be converted; hostile files end in an error.
#include <gtest/gtest.h>

#include <limits>

#include "plain_objects.h"

namespace onward {
namespace {

using plain::Objects;
using plain::Value;

Value scaler(Objects& o, std::initializer_list<double> mean, int64_t features = 3) {
  return o.object("sklearn.preprocessing._data", "StandardScaler",
                  {{"with_mean", plain::boolean(true)},
                   {"with_std", plain::boolean(true)},
                   {"mean_", o.numbers({int64_t(mean.size())}, mean)},
                   {"scale_", o.none()},
                   {"n_features_in_", plain::integer(features)},
                   {"_sklearn_version", o.text("1.9.1")}});
}
Value pipeline(Objects& o, std::initializer_list<Value> steps) {
  return o.object("sklearn.pipeline", "Pipeline", {{"steps", o.list(steps)}});
}
ReadModel read(Objects& o, Value root) { return read_estimator(o.document(root), Registry::builtin()); }
std::string report(const ReadModel& m) {
  std::string all;
  for (const Problem& p : m.problems) all += p.where + ": " + p.message + (p.hint.empty() ? "" : "; ") + p.hint + "\n";
  return all;
}

// A scaler as `version` would write it, with what that version may have added.
std::vector<std::string> warnings_of(std::string_view version, std::string_view field) {
  Objects o;
  Value v = scaler(o, {1, 2, 3});
  o.set(v, field, plain::boolean(true));
  const auto& state = v.object->state.items();
  for (size_t i = 0; i + 1 < state.size(); i += 2)
    if (state[i].str() == "_sklearn_version") const_cast<Value&>(state[i + 1]) = o.text(version);
  return read(o, pipeline(o, {o.tuple({o.text("scale"), v})})).warnings;
}

TEST(Reading, AnUnknownNewerVersionIsWarnedOfByWhatItChanged) {
  EXPECT_TRUE(warnings_of("1.9.1", "with_mean").empty());
  EXPECT_TRUE(warnings_of("1.9.7", "quite_new").empty());
  EXPECT_TRUE(warnings_of("0.24.2", "with_mean").empty());
  const std::vector<std::string> same = warnings_of("1.12.0", "copy"), changed = warnings_of("2.0.dev0", "quite_new");
  ASSERT_EQ(same.size(), 1u);
  EXPECT_EQ(same[0], "scikit-learn 1.12.0 is newer than this release of onward, which takes it as the newest that it knows: nothing in the file is "
                     "new by name; compare the answers with `onward validate`");
  ASSERT_EQ(changed.size(), 1u);
  EXPECT_NE(changed[0].find("scikit-learn 2.0.dev0 is newer"), std::string::npos) << changed[0];
  EXPECT_NE(changed[0].find("StandardScaler has 'quite_new', which is new"), std::string::npos) << changed[0];
}

TEST(Reading, ReportsEverythingAtOnce) {
  Objects o;
  const Value knn = o.object("sklearn.neighbors._classification", "KNeighborsClassifier",
                             {{"_fit_X", o.numbers({2, 3}, {1, 2, 3, 4, 5, 6})},
                              {"n_neighbors", plain::integer(1)},
                              {"weights", o.text("uniform")},
                              {"effective_metric_", o.text("my_metric")},
                              {"classes_", o.integers({2}, {0, 1})},
                              {"n_features_in_", plain::integer(3)}});
  const Value own = o.object("my_package.models", "Magic", {{"x_", plain::integer(1)}});
  const Value function =
      o.object("sklearn.preprocessing._function_transformer", "FunctionTransformer", {{"func", o.global("__main__", "my_log")}});
  const Value root = pipeline(o, {o.tuple({o.text("scale"), scaler(o, {1, 2, 3, 4})}), o.tuple({o.text("own"), own}),
                                  o.tuple({o.text("f"), function}), o.tuple({o.text("knn"), knn})});
  const std::string said = report(read(o, root));
  EXPECT_NE(said.find("model (Pipeline) > scale (StandardScaler): mean_ has shape [4]; expected [features = 3 by n_features_in_]"),
            std::string::npos)
      << said;
  EXPECT_NE(
      said.find("model (Pipeline) > own (Magic): my_package.models.Magic is not a class of scikit-learn; register a converter for it"),
      std::string::npos)
      << said;
  EXPECT_NE(said.find("func is a Python function ('my_log'), which holds code, not data; convertible: None, abs"), std::string::npos)
      << said;
  EXPECT_NE(said.find("model (Pipeline) > knn (KNeighborsClassifier): effective_metric_ is 'my_metric'; convertible: the named metrics"),
            std::string::npos)
      << said;
  EXPECT_NE(said.find("knn (KNeighborsClassifier): _y is missing; every fitted KNeighborsClassifier has it"), std::string::npos) << said;
}

TEST(Reading, ClassesWithoutAConverterAreLookedInto) {
  Objects o;
  const auto own = [&](const char* name, std::initializer_list<std::pair<std::string_view, Value>> fields) {
    const Value made = o.object("my_package", name, {{"n_features_in_", plain::integer(3)}});
    for (const auto& [field, value] : fields) o.set(made, field, value);
    return made;
  };
  const Value node = o.object("my_package", "Node", {{"left_", plain::integer(1)}}), unfitted = o.object("sklearn.preprocessing._data", "StandardScaler", {{"with_mean", plain::boolean(true)}});
  const Value outer = own("Outer", {{"inner_", own("Inner", {})}, {"node_", node}, {"scaler", unfitted}, {"parts_", o.list({o.tuple({o.text("bad"), scaler(o, {1, 2})})})}});
  o.set(outer, "itself_", outer);
  EXPECT_EQ(report(read(o, outer)),
            "model (Outer): my_package.Outer is not a class of scikit-learn; register a converter for it (onward.register_converter in Python, onward_converters_add in C)\n"
            "model (Outer) > inner_ (Inner): my_package.Inner is not a class of scikit-learn; register a converter for it (onward.register_converter in Python, onward_converters_add in C)\n"
            "model (Outer) > parts_ (StandardScaler): mean_ has shape [2]; expected [features = 3 by n_features_in_]\n");
}

TEST(Reading, ClassesWithoutAConverterMayBeNestedWithoutEnd) {
  Objects o;
  Value root = o.object("my_package", "Link", {{"n_features_in_", plain::integer(3)}});
  for (int i = 0; i < 1000; ++i) root = o.object("my_package", "Link", {{"n_features_in_", plain::integer(3)}, {"next_", root}});
  EXPECT_LE(read(o, root).problems.size(), 64u);
}

TEST(Reading, WhatIsNotThereIsNotComputedWith) {
  Objects o;
  const Value mixture = o.object("sklearn.mixture._gaussian_mixture", "GaussianMixture", {{"n_features_in_", plain::integer(2)}, {"converged_", plain::boolean(true)}});
  EXPECT_NE(report(read(o, mixture)).find("weights_ is missing"), std::string::npos);
}

TEST(Reading, UnfittedIsSaid) {
  Objects o;
  EXPECT_EQ(report(read(o, o.object("sklearn.preprocessing._data", "StandardScaler", {{"with_mean", plain::boolean(true)}}))),
            "model (StandardScaler): is not fitted\n");
}

TEST(Reading, WhatHasNoAnswerForNewRowsSaysSo) {
  Objects o;
  EXPECT_NE(report(read(o, o.object("sklearn.cluster._dbscan", "DBSCAN", {{"labels_", o.integers({1}, {0})}}))).find("it has no predict; fit a classifier"),
            std::string::npos);
  EXPECT_NE(report(read(o, o.object("sklearn.manifold._t_sne", "TSNE", {{"embedding_", o.numbers({1, 1}, {0})}}))).find("it has no transform; fit a regressor"),
            std::string::npos);
}

TEST(Reading, TextVectorizersNameTheCodeTheyHold) {
  Objects o;
  const std::string said = report(read(o, o.object("sklearn.feature_extraction.text", "CountVectorizer",
                                                   {{"input", o.text("content")},
                                                    {"analyzer", o.text("word")},
                                                    {"tokenizer", o.global("__main__", "my_tokens")},
                                                    {"lowercase", plain::boolean(true)},
                                                    {"ngram_range", o.tuple({plain::integer(1), plain::integer(1)})},
                                                    {"binary", plain::boolean(false)},
                                                    {"vocabulary_", o.none()}})));
  EXPECT_NE(said.find("tokenizer is a Python function ('my_tokens'), which holds code, not data; refit with token_pattern"), std::string::npos) << said;
  EXPECT_NE(said.find("vocabulary_ is no dict of terms and their columns"), std::string::npos) << said;
}

TEST(Reading, APipelineThatContainsItselfIsRefused) {
  Objects o;
  const Value root = o.object("sklearn.pipeline", "Pipeline", {});
  o.set(root, "steps", o.list({o.tuple({o.text("again"), root})}));
  EXPECT_NE(report(read(o, root)).find("model (Pipeline) > again (Pipeline): contains itself"), std::string::npos);
}

TEST(Reading, DeepNestingIsRefused) {
  Objects o;
  Value root = scaler(o, {1, 2, 3});
  for (int i = 0; i < 1000; ++i) root = pipeline(o, {o.tuple({o.text(std::string(10000, 'x')), root})});
  try {
    read(o, root);
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code, Code::limit_size);
    EXPECT_NE(e.message.find("nested more than 64 deep"), std::string::npos);
    EXPECT_LT(e.message.size(), 1000u);
  }
}

TEST(Reading, SharedStepsAreReadOnce) {
  Objects o;
  Value root = scaler(o, {1, 2, 3});
  for (int i = 0; i < 40; ++i) root = pipeline(o, {o.tuple({o.text("a"), root}), o.tuple({o.text("b"), root})});  // 2^40 paths
  const ReadModel m = read(o, root);
  ASSERT_TRUE(m.problems.empty());
  try {
    convert(m.estimator);
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code, Code::limit_size);
  }
}

TEST(Reading, WhatAFileClaimsAboutSizesIsChecked) {
  Objects o;
  Value huge = o.numbers({3}, {1, 2, 3});
  const int64_t claimed[] = {1 << 20, 1 << 20};
  huge.array->shape = claimed;
  const Value root = o.object("sklearn.preprocessing._data", "MaxAbsScaler", {{"scale_", huge}, {"n_features_in_", plain::integer(3)}});
  EXPECT_NE(report(read(o, root)).find("scale_ holds less than its shape"), std::string::npos);
}

TEST(Reading, SparseMatricesAreCheckedBeforeTheyBecomeDense) {
  Objects o;
  const auto said = [&](int64_t features, std::string_view kind, Value shape, std::initializer_list<int64_t> starts,
                        std::initializer_list<int64_t> places) {
    const Value sparse = o.object("scipy.sparse._csr", kind,
                                  {{"_shape", shape},
                                   {"data", o.numbers({2}, {1, 2})},
                                   {"indptr", o.integers({int64_t(starts.size())}, starts)},
                                   {"indices", o.integers({int64_t(places.size())}, places)}});
    return report(read(o, o.object("sklearn.preprocessing._data", "MaxAbsScaler",
                                   {{"scale_", sparse}, {"n_features_in_", plain::integer(features)}})));
  };
  const auto sizes = [&](int64_t n) { return o.tuple({plain::integer(n)}); };
  const auto two = [&](int64_t n, int64_t m) { return o.tuple({plain::integer(n), plain::integer(m)}); };
  constexpr int64_t most = std::numeric_limits<int64_t>::max();
  EXPECT_EQ(said(3, "csr_array", sizes(3), {0, 2}, {0, 2}), "");
  EXPECT_NE(said(3, "csr_matrix", two(1, 3), {0, 2}, {0, 2}).find("scale_ has shape [1, 3]"), std::string::npos);
  EXPECT_NE(said(3, "coo_array", sizes(3), {0, 2}, {0, 2}).find("is a coo_array; convertible: csr and csc"), std::string::npos);
  EXPECT_NE(said(3, "csr_array", sizes(3), {0, 2}, {0, 3}).find("a value at 3 of a line of 3"), std::string::npos);
  EXPECT_NE(said(3, "csr_array", sizes(3), {0, 2}, {0, -1}).find("a value at -1 of a line of 3"), std::string::npos);
  EXPECT_NE(said(3, "csr_array", sizes(3), {0, 3}, {0, 1}).find("behind its 2 values"), std::string::npos);
  EXPECT_NE(said(3, "csr_array", sizes(3), {-1, 2}, {0, 1}).find("behind its 2 values"), std::string::npos);
  EXPECT_NE(said(3, "csr_array", sizes(3), {0, 2}, {0}).find("2 values at 1 places"), std::string::npos);
  EXPECT_NE(said(3, "csr_array", two(most, 0), {0, 2}, {0, 1}).find("lines with 2 starts"), std::string::npos);
  EXPECT_NE(said(3, "csc_array", two(0, most), {}, {0, 1}).find("lines with 0 starts"), std::string::npos);
  EXPECT_NE(said(3, "csr_array", two(1 << 20, 1 << 20), {0, 2}, {0, 1}).find("more than can be made dense"), std::string::npos);
  EXPECT_NE(said(3, "csr_array", two(1, 5 << 20), {0, 2}, {0, 1}).find("items with 2 values, more than can be made dense"), std::string::npos);
  EXPECT_NE(said(3, "csr_array", o.none(), {0, 2}, {0, 1}).find("0 sizes; expected 1 or 2"), std::string::npos);
}

TEST(Reading, LabelsKeepTheirType) {
  Objects o;
  const int64_t large = (int64_t{1} << 53) + 1;
  const Value root = o.object("sklearn.linear_model._logistic", "LogisticRegression",
                              {{"classes_", o.objects({plain::integer(large - 1), plain::integer(large)})},
                               {"coef_", o.numbers({1, 2}, {1, -1})},
                               {"intercept_", o.numbers({1}, {0})},
                               {"solver", o.text("lbfgs")},
                               {"n_features_in_", plain::integer(2)}});
  const ReadModel m = read(o, root);
  ASSERT_TRUE(m.problems.empty()) << report(m);
  const Model model = convert(m.estimator);
  EXPECT_EQ(shown(model.graph.outputs[0].type), "int64 [batch]");
  bool found = false;
  for (const auto& [name, t] : model.graph.initializers)
    if (t.type() == DataType::i64 && t.size() == 2 && t.data<int64_t>()[1] == large) found = true;
  EXPECT_TRUE(found);
}

}  // namespace
}  // namespace onward
