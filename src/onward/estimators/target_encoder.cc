// TargetEncoder: each category becomes the target's mean over its rows, smoothed; one for each class where there are several.
#include "onward/estimators/categories.h"

namespace onward {

struct TargetEncoder {
  static constexpr bool takes_missing = true;
  enum class Target { binary, continuous, multiclass } target = Target::continuous;
  std::vector<CategoryList> categories;
  std::vector<Numbers> encodings;  // of each column, or of each class of each column: a number for each category
  Numbers mean;                    // of the target, or of each class: what an unknown category becomes
  CategoryList classes;

  void learned(Fields& f) {
    f("categories_", categories, {"features"});
    f.choice("target_type_", target,
             {{"binary", Target::binary}, {"continuous", Target::continuous}, {"multiclass", Target::multiclass}});
    f("target_mean_", mean);
    if (several()) f("classes_", classes, {"classes"});
    f("encodings_", encodings);
    if (!f.ok()) return;
    if (mean.size() != outputs()) return f.bad("target_mean_", text("has ", mean.size(), " items for ", outputs(), " outputs of a column"));
    if (encodings.size() != categories.size() * size_t(outputs()))
      return f.bad("encodings_", text("holds ", encodings.size(), " lists for ", categories.size(), " columns"));
    for (size_t k = 0; k < encodings.size(); ++k)
      if (const int64_t n = categories[k / size_t(outputs())].size(); encodings[k].size() != n)
        return f.bad("encodings_", text("has ", encodings[k].size(), " items for ", n, " categories"));
  }
  Outputs operator()(const Frame& x) const {
    const int64_t width = outputs();
    std::vector<Expr> parts;
    std::vector<std::string> names;
    for (int64_t i = 0; i < x.size(); ++i) {
      ONWARD_CHECK(size_t(i) < categories.size());
      const CategoryList& known = categories[size_t(i)];
      tell_unknown(x, i, known, Unknown::category);
      const Numbers table = Numbers::of({known.size() + 1, width}, [&](int64_t at) {
        const int64_t category = at / width, output = at % width;
        return category == known.size() ? mean[output] : encodings[size_t(i * width + output)][category];
      });
      parts.push_back(pick(table, category_of(x, i, known)));
      for (int64_t k = 0; several() && k < width; ++k) names.push_back(x.name(i) + "_" + category_name(classes, k));
    }
    const Expr all = concat(parts);
    return transformed(several() ? Frame(all, names) : x.all_replaced(all, Frame::Keeps::nothing));
  }

 private:
  bool several() const { return target == Target::multiclass; }
  int64_t outputs() const { return several() ? classes.size() : 1; }
};

Definitions target_encoder_estimators() {
  return {
      reads<TargetEncoder>("sklearn.preprocessing.TargetEncoder",
                           {.cases = {"()", "(smooth=10.0)", "(target_type='continuous')"}, .data = "text ratings counts"}),
      reads<TargetEncoder>("sklearn.preprocessing.TargetEncoder", {.cases = {"()"}, .data = "text bools missing", .targets = "classes"}),
      reads<TargetEncoder>("sklearn.preprocessing.TargetEncoder", {.cases = {"()"}, .data = "text mixed", .targets = "binary"}),
  };
}

}  // namespace onward
