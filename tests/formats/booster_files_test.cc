// Files of the boosting libraries, damaged or made to do harm: each is an Error that says what is wrong, or a model.
#include <gtest/gtest.h>

#include <filesystem>

#include "onward/base/file.h"
#include "onward/formats/open.h"
#include "onward/formats/source.h"

namespace onward::formats {
namespace {

// CatBoost's files have tests of their own.
std::vector<std::string> files(std::initializer_list<std::string_view> suffixes) {
  std::vector<std::string> paths;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(ONWARD_TEST_DATA "/boosters")) {
    const bool ours = !entry.path().parent_path().filename().string().starts_with("catboost");
    if (ours && std::ranges::count(suffixes, entry.path().extension().string())) paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

// What converting `bytes` says is wrong with them; empty where they are a model.
std::string converted(const std::string& bytes) {
  try {
    convert_source({nullptr, bytes});
    return {};
  } catch (const Error& e) {
    EXPECT_NE(e.code, Code::internal) << e.message;
    return e.message;
  }
}

std::string with(std::string text, std::string_view from, std::string_view to) {
  const size_t at = text.find(from);
  EXPECT_NE(at, text.npos) << from;
  return at == text.npos ? text : text.replace(at, from.size(), to);
}

// Two trees of three nodes.
const std::string xgboost = R"({"learner":{"attributes":{},"feature_names":[],"feature_types":[],"gradient_booster":{"model":{
"gbtree_model_param":{"num_parallel_tree":"1","num_trees":"2"},"iteration_indptr":[0,1,2],"tree_info":[0,0],"trees":[
{"default_left":[1,0,0],"left_children":[1,-1,-1],"right_children":[2,-1,-1],"split_conditions":[5E-1,1E0,-1E0],"split_indices":[1,0,0],
"split_type":[0,0,0],"categories":[],"categories_nodes":[],"categories_segments":[],"categories_sizes":[],"tree_param":{"size_leaf_vector":"1"}},
{"default_left":[0,0,0],"left_children":[1,-1,-1],"right_children":[2,-1,-1],"split_conditions":[NaN,2E0,-2E0],"split_indices":[0,0,0],
"split_type":[1,0,0],"categories":[1,3],"categories_nodes":[0],"categories_segments":[0],"categories_sizes":[2],"tree_param":{"size_leaf_vector":"1"}}
]},"name":"gbtree"},"learner_model_param":{"base_score":"[5E-1]","num_class":"0","num_feature":"2","num_target":"1"},
"objective":{"name":"binary:logistic"}},"version":[3,2,0]})";

const std::string lightgbm = R"(tree
version=v4
num_class=1
num_tree_per_iteration=1
max_feature_idx=1
objective=regression
feature_names=Column_0 Column_1
feature_infos=[0:1] 0:1:2
tree_sizes=100

Tree=0
num_leaves=3
num_cat=1
split_feature=0 1
threshold=0.5 0
decision_type=2 1
left_child=1 -1
right_child=-2 -3
leaf_value=1 2 3
cat_boundaries=0 1
cat_threshold=5
is_linear=0

end of trees

pandas_categorical:null
)";

// XGBoost 3.2 loses the ends of words: "Köln", "Oslo" are "Köl", "nOsl" in its file.
TEST(BoosterFiles, CategoriesBeyondAsciiAreRefused) {
  const auto of = [](std::string_view words) {
    return converted(with(xgboost, "\"gbtree_model_param\"", text("\"cats\":{\"enc\":[", words, ",{\"offsets\":[],\"values\":[]}]},\"gbtree_model_param\"")));
  };
  EXPECT_EQ(of(R"({"offsets":[0,1,3],"values":[97,98,99]})").find("beyond ASCII"), std::string::npos);
  for (const char* words : {R"({"offsets":[0,4,8],"values":[75,-61,-74,108,110,79,115,108]})", R"({"offsets":[0,2],"values":[195,182]})"})
    EXPECT_NE(of(words).find("holds categories beyond ASCII"), std::string::npos) << of(words);
}

TEST(BoosterFiles, EachConverts) {
  const std::vector<std::string> all = files({".json", ".ubj", ".txt", ".pkl", ".joblib"});
  EXPECT_GT(all.size(), 250u);
  for (const std::string& path : all) {
    SCOPED_TRACE(path);
    const MappedFile file = map_file(path);
    EXPECT_EQ(kind_of(file.bytes), FileKind::fitted);
    EXPECT_EQ(converted(std::string(file.bytes)), "");
  }
}

// Only what follows the trees of LightGBM, which a model need not have, may be gone.
TEST(BoosterFiles, EachBeginningIsAnError) {
  for (const std::string& path : files({".json", ".ubj", ".txt"})) {
    SCOPED_TRACE(path);
    const MappedFile file = map_file(path);
    const size_t trees = std::min(file.bytes.find("end of trees"), file.bytes.size());
    for (size_t n = 0; n < trees; n += 61) EXPECT_NE(converted(std::string(file.bytes.substr(0, n))), "") << n << " bytes";
  }
  for (const std::string& whole : {xgboost, lightgbm}) {
    const size_t trees = std::min(whole.find("end of trees"), whole.size());
    for (size_t n = 0; n < trees; ++n) EXPECT_NE(converted(whole.substr(0, n)), "") << n << " bytes";
  }
}

TEST(BoosterFiles, EachChangedByteIsAnErrorOrAModel) {
  uint32_t random = 1;
  for (const std::string& path : files({".json", ".ubj", ".txt", ".pkl"})) {
    SCOPED_TRACE(path);
    const MappedFile file = map_file(path);
    for (int i = 0; i < 12; ++i) {
      std::string changed(file.bytes);
      random = random * 1664525 + 1013904223;
      changed[(random >> 8) % changed.size()] ^= char(1 << (random & 7));
      converted(changed);
    }
  }
  for (const std::string& whole : {xgboost, lightgbm})
    for (size_t n = 0; n < whole.size(); ++n)
      for (const char c : {'0', '9', '-', ']', '\xff'}) {
        std::string changed = whole;
        changed[n] = c;
        converted(changed);
      }
}

TEST(BoosterFiles, TreesThatLieAreNamed) {
  EXPECT_EQ(converted(xgboost), "");
  const auto xgb = [](std::string_view from, std::string_view to) { return converted(with(xgboost, from, to)); };
  EXPECT_NE(xgb("[1,-1,-1]", "[0,-1,-1]").find("trees[0]: node 0 has two parents"), std::string::npos);
  EXPECT_NE(xgb("[1,-1,-1]", "[9,-1,-1]").find("trees[0].left_children holds 9; expected less than 3"), std::string::npos);
  EXPECT_NE(xgb("[1,-1,-1]", "[1,-1]").find("trees[0].right_children has 3 items for 2 nodes"), std::string::npos);
  EXPECT_NE(xgb("\"split_indices\":[1", "\"split_indices\":[2").find("feature 2 of 2"), std::string::npos);
  EXPECT_NE(xgb("\"split_indices\":[1", "\"split_indices\":[1.5").find("split_indices"), std::string::npos);
  EXPECT_NE(xgb("\"categories_sizes\":[2]", "\"categories_sizes\":[3]").find("reaches beyond the 2 categories"), std::string::npos);
  EXPECT_NE(xgb("\"tree_info\":[0,0]", "\"tree_info\":[0,1]").find("tree_info holds 1 for 1 outputs"), std::string::npos);
  EXPECT_NE(xgb("\"num_class\":\"0\"", "\"num_class\":\"2000000000\"").find("num_class is 2000000000"), std::string::npos);
  EXPECT_NE(xgb("\"num_feature\":\"2\"", "\"num_feature\":\"2000000000\"").find("num_feature is 2000000000"), std::string::npos);
  EXPECT_NE(xgb("[5E-1]", "[5E0]").find("base_score is 5; expected a probability"), std::string::npos);
  EXPECT_NE(xgb("[5E-1]", "[0.1,0.2]").find("base_score has 2 numbers for 1 outputs"), std::string::npos);
  EXPECT_NE(xgb("binary:logistic", "reg:own").find("objective.name is 'reg:own'; convertible: reg:squarederror"), std::string::npos);
  EXPECT_NE(xgb("\"size_leaf_vector\":\"1\"", "\"size_leaf_vector\":\"3\"").find("size_leaf_vector is 3 for 1 outputs"), std::string::npos);

  EXPECT_EQ(converted(lightgbm), "");
  const auto lgb = [](std::string_view from, std::string_view to) { return converted(with(lightgbm, from, to)); };
  EXPECT_NE(lgb("left_child=1", "left_child=0").find("trees[0].left_child holds 0 at 0"), std::string::npos);
  EXPECT_NE(lgb("left_child=1", "left_child=7").find("trees[0].left_child holds 7 at 0 for 3 leaves"), std::string::npos);
  EXPECT_NE(lgb("split_feature=0", "split_feature=5").find("trees[0].split_feature holds 5 of 2 columns"), std::string::npos);
  EXPECT_NE(lgb("num_leaves=3", "num_leaves=4000000000").find("num_leaves is 4000000000 for 3 values"), std::string::npos);
  EXPECT_NE(lgb("threshold=0.5 0", "threshold=0.5 1").find("the number 1 of a set; there are 1"), std::string::npos);
  EXPECT_NE(lgb("cat_boundaries=0 1", "cat_boundaries=0 9").find("goes beyond the 1 words"), std::string::npos);
  EXPECT_NE(lgb("leaf_value=1 2 3", "leaf_value=1 two 3").find("'two 3' is no number"), std::string::npos);
  EXPECT_NE(lgb("objective=regression", "objective=own").find("objective is 'own'"), std::string::npos);
  EXPECT_NE(lgb("tree_sizes=100", "tree_sizes=100 100").find("tree_sizes has 2 items for 1 trees"), std::string::npos);
  EXPECT_NE(lgb("pandas_categorical:null", "pandas_categorical:[[1],[2]]").find("the categories of 2 columns"), std::string::npos);
  EXPECT_NE(lgb("max_feature_idx=1", "max_feature_idx=4000000000").find("max_feature_idx is 4000000000"), std::string::npos);
}

TEST(BoosterFiles, NestingAndSizesAreBounded) {
  const std::string deep = "{\"learner\":{\"a\":" + std::string(1'000'000, '[');
  EXPECT_NE(converted(deep).find("nested more than"), std::string::npos);
  const std::string objects = [] {
    std::string s = "{\"learner\":{";
    for (int i = 0; i < 100'000; ++i) s += "\"a\":{";
    return s;
  }();
  EXPECT_NE(converted(objects).find("nested more than"), std::string::npos);
  std::string ubjson("{L\0\0\0\0\0\0\0\7learner", 17);
  for (int i = 0; i < 100'000; ++i) ubjson += "[";
  EXPECT_NE(converted(ubjson).find("nested more than"), std::string::npos);
  const std::string large = std::string("{L\0\0\0\0\0\0\0\7learner[$d#L", 22) + std::string(8, '\x7f');
  EXPECT_NE(converted(large).find("announces"), std::string::npos);
}

TEST(BoosterFiles, OldBinaryFormatIsRefusedWithAdvice) {
  std::string binary(136, '\0');
  binary += std::string("\x0f\0\0\0\0\0\0\0", 8) + "binary:logistic" + std::string("\6\0\0\0\0\0\0\0", 8) + "gbtree";
  for (const std::string& bytes : {binary, "binf" + binary, std::string("CONFIG-offset:12345678")}) {
    EXPECT_EQ(kind_of(bytes), FileKind::fitted);
    try {
      convert_source({nullptr, bytes});
      ADD_FAILURE();
    } catch (const Error& e) {
      EXPECT_EQ(e.code, Code::unsupported_format);
      EXPECT_NE(e.hint.find("save_model(\"model.json\")"), std::string::npos);
    }
  }
}

TEST(BoosterFiles, TablesAreNone) {
  for (const std::string bytes : {"{\"learner\": 3}\n", "{\"version\": [1], \"a\": 2}", "tree,version\n1,2\n", "{\"a\": 1}"})
    EXPECT_EQ(kind_of(bytes), FileKind::other) << bytes;
}

}  // namespace
}  // namespace onward::formats
