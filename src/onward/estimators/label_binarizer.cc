// LabelBinarizer: a column of labels as one column for each class, or as one column where there are two.
#include "onward/estimators/categories.h"

namespace onward {

struct LabelBinarizer {
  CategoryList classes;
  double negative = 0, positive = 1;
  bool multilabel = false;  // the rows are such columns already

  void learned(Fields& f) {
    f("classes_", classes, {"classes"});
    f("neg_label", negative);
    f("pos_label", positive);
    f.choice("y_type_", multilabel, {{"binary", false}, {"multiclass", false}, {"multilabel-indicator", true}});
    Facts input = f.facts();
    input.n_features_in = multilabel ? classes.size() : 1;
    f.same_input_as(input);
  }
  Outputs operator()(const Frame& x) const {
    const int64_t n = classes.size();
    if (multilabel) return transformed(Frame(where(equal(x.numbers(), 0.0), negative, positive)));
    // Two classes share a column, and the second is the positive one; of a single class nothing is known to be positive.
    const int64_t width = n <= 2 ? 1 : n;
    const Numbers table = Numbers::of({n + 1, width}, [&](int64_t at) {
      const int64_t own = n == 2 ? 1 : n == 1 ? -1 : at % width;
      return at / width == own ? positive : negative;
    });
    tell_unknown(x, 0, classes, Unknown::ignore);
    return transformed(Frame(pick(table, category_of(x, 0, classes))));
  }
};

Definitions label_binarizer_estimators() {
  return {
      reads<LabelBinarizer>("sklearn.preprocessing.LabelBinarizer",
                            {.cases = {"()", "(neg_label=-1, pos_label=2)", "(neg_label=-3, pos_label=0)", "(sparse_output=True)"},
                             .data = "labels"}),
  };
}

}  // namespace onward
