// Rows as a model may meet them, for measuring: where made-up numbers are all on one side of its thresholds, a tree is walked along one path.
#pragma once
#include <random>

#include "onward/validate/compared_constants.h"
#include "onward/validate/table_session.h"

namespace onward {

// A column's known values at random (the schema's, an encoder's, those of the sets that trees test); else numbers between the thresholds
// of the trees that read it; else across the schema's range; else, of floats, normally distributed; whole numbers stay as made_up_inputs
// makes them. The same rows each time, and other ones at each call of `next`.
class RealisticInputs {
 public:
  RealisticInputs(const Session& session, const Graph& as_written);
  NamedValues next(int64_t rows);
  bool knows_constants() const { return !compared_.thresholds.empty() || !compared_.values.empty() || !compared_.words.empty(); }

 private:
  struct Draw {                                          // the first that there is
    std::vector<std::string> words;
    std::vector<double> values, thresholds;
    std::optional<Range> range;
  };
  void fill(const Field& field, const Tensor& tensor);
  Draw draw_of(const Field& field, const ComparedConstants::Column& column, bool may_be_compared) const;
  std::string word(const Draw& draw);
  std::optional<double> number(const Draw& draw, bool whole);   // none: as made_up_inputs made it
  double uniform() { return double(random_() >> 11) * 0x1p-53; }

  const Session& session_;
  std::map<std::string, Field> fields_;
  ComparedConstants compared_;
  std::mt19937_64 random_{1};
};

}  // namespace onward
