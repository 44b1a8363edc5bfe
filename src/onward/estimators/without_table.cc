// Estimators whose input is no table: each says why, and what does the same for one.
#include "onward/estimators/fields.h"

namespace onward {
namespace {

struct Unconvertible {
  Outputs operator()(const Frame& x) const { return transformed(x); }  // never called: reading it is a problem already
};
Definition refused(std::string_view class_name, std::string_view field, std::string_view why, std::string_view instead) {
  Definition d{class_name, {.cases = {}}, [=](Fields& f) {
                 f.refuse(field, std::string(why), std::string(instead));
                 return Estimator(Unconvertible(), f.facts());
               }};
  d.may_be_stateless = true;
  return d;
}

}  // namespace

Definitions without_table_estimators() {
  return {
      refused("sklearn.preprocessing.MultiLabelBinarizer", "its input", "is a set of labels for each row, which no column holds",
              "convertible: OneHotEncoder for a label in each column, CountVectorizer(binary=True) for labels in a text"),
      refused("sklearn.feature_extraction.FeatureHasher", "its input", "is a dict, or a list, of named features for each row, which no table holds",
              "convertible: HashingVectorizer for text, OneHotEncoder or a ColumnTransformer for columns"),
      refused("sklearn.feature_extraction.DictVectorizer", "its input", "is a dict of features for each row, which no table holds",
              "convertible: OneHotEncoder and 'passthrough' in a ColumnTransformer, on the same features as columns"),
  };
}

}  // namespace onward
