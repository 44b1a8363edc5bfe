// A CatBoost model as plain data, whichever of its files it came from. Trees test columns: first those of its numeric features, then
// the hashes of one-hot categories, then the values of CTRs (statistics of the target, by category).
#pragma once
#include "onward/estimators/plain.h"
#include "onward/estimators/tree_ensemble.h"

namespace onward::catboost {

struct FloatFeature {
  int64_t column = -1;  // of the table
  std::string name;
  bool missing_is_large = false;
  std::vector<float> borders;  // ascending; none: nothing tests it
};

struct Category {
  int64_t column = -1;
  std::string name;
};

struct OneHot {
  int64_t category = 0;  // of `categories`
  std::vector<int32_t> values;
};

// What a CTR counts by: categories, and truths about other features, folded into one key in this order.
struct Combination {
  std::vector<int64_t> categories;
  struct FloatSplit {
    int64_t feature = 0;  // of `floats`
    float border = 0;
    auto operator<=>(const FloatSplit&) const = default;
  };
  struct OneHotSplit {
    int64_t category = 0;
    int32_t value = 0;
    auto operator<=>(const OneHotSplit&) const = default;
  };
  std::vector<FloatSplit> floats;
  std::vector<OneHotSplit> one_hots;
  auto operator<=>(const Combination&) const = default;
};

enum class CtrType : uint8_t { borders, buckets, binarized_target_mean, float_target_mean, counter, feature_freq };

// What was counted in training, by key.
struct CtrTable {
  std::vector<uint64_t> keys;
  std::vector<int32_t> counts;  // (keys, classes); of means and counters (keys)
  std::vector<float> sums;      // of means
  int64_t classes = 1;
  int32_t denominator = 0;  // of counters
};

struct Ctr {
  Combination by;
  CtrType type = CtrType::borders;
  int64_t table = 0;  // of `tables`
  int64_t target_border = 0;
  float prior = 0, prior_weight = 1, shift = 0, scale = 1;
  std::vector<float> borders;
};

struct Model {
  std::vector<FloatFeature> floats;
  std::vector<Category> categories;
  std::vector<OneHot> one_hots;
  std::vector<Ctr> ctrs;
  std::vector<CtrTable> tables;
  std::shared_ptr<TreeEnsemble> trees = std::make_shared<TreeEnsemble>();  // leaf k of a symmetric tree is its node 2^depth - 1 + k
  std::vector<int64_t> first_leaves;                                       // of symmetric trees: the node that is leaf 0
  double scale = 1;
  std::vector<double> bias;                                   // one for each output
  std::vector<std::pair<std::string, uint32_t>> known_words;  // with their hashes, where the file lists them
  Tensor words;                                               // of these, where they are enough: see catboost_columns.h
  Array<int64_t> word_hashes;
  plain::Value info;  // model_info

  int64_t columns() const;  // of the table it was trained on
};

// Throw an Error for what no CatBoost writes, and for text and embedding features.
Model read_binary(const plain::Value& file, const std::shared_ptr<const void>& owner);
Model read_json(const plain::Value& file);

// What `split_index` numbers: every border of every float, every one-hot value, every border of every CTR, in that order.
class Splits {
 public:
  explicit Splits(const Model&);
  TreeNode node(int64_t split) const;  // yes: the split is false

 private:
  std::vector<TreeNode> nodes_;
};
// A tree in which every node of a level asks the same. Leaf bit i is splits[i]; `leaves` are (2^depth, targets).
Tree symmetric_tree(const Splits&, std::span<const int64_t> splits, Numbers leaves);
void check(const Model&);  // what both files must keep

}  // namespace onward::catboost
