// What an estimator made of estimators asks of its parts, in the words, the order and the precision of the library.
#pragma once
#include "onward/estimators/fields.h"

namespace onward {

using Parts = std::vector<Estimator>;

// The part's answers; its nodes and errors carry `name`.
Outputs ask(const Estimator& part, const Frame& x, const std::string& name);
std::vector<Outputs> ask_all(const Parts& parts, const Frame& x);

Expr predicted(const Outputs&);         // (batch) or (batch, outputs)
Expr probabilities_of(const Outputs&);  // (batch, classes)
bool decides(const Outputs&);           // has a method decision_function
Expr decision_of(const Outputs&);       // (batch) for two classes, else (batch, classes)

enum class Method { predict_proba, decision_function, predict };
struct Response {
  Method method;
  Expr values;  // (batch): of two classes the second one's; or (batch, classes)
};
// The first of `methods` that the part has; a regressor predicts.
Response response_of(const Outputs&, const std::vector<Method>& methods);

Expr vector_of(Expr);                          // (batch, 1) -> (batch)
Expr column_of(Expr);                          // (batch) -> (batch, 1)
std::vector<Expr> of_one_type(std::vector<Expr>);  // all of one floating type: float32 if every one is, else double
Expr sum_in_order(const std::vector<Expr>&);   // ((a + b) + c) + …

// The place of each label among `classes`, (batch) int64; as many as there are for any other.
Expr class_index(Expr labels, const Tensor& classes);
Expr one_hot(Expr index, int64_t width);  // (batch) int64 -> (batch, width) double; nothing for an index of `width`
// Where each class of `some` stands among `all`; throws where one does not.
std::vector<int64_t> places_among(const Tensor& some, const Tensor& all);
// A class that a parameter such as pos_label names: text, or a number. Owns what it says; a value of the file does not outlive it.
using Label = std::variant<double, std::string>;
std::optional<Label> label_of(const plain::Value&);
std::optional<int64_t> place_of(const Label&, const Tensor& classes);  // none where it is no class
// Columns given for classes `some` in the order of `all`, where the others have `otherwise`.
Expr spread(Expr values, const std::vector<int64_t>& places, int64_t width, double otherwise);

Expr row_zeros(const Frame& x);  // (batch) int64 zeros: for what does not depend on x

// An estimator whose own file does not say takes what its first part takes.
void takes_what_its_parts_take(Fields&, const Parts&);
// A list of numbers: Python's or an array.
Numbers numbers_of(Fields&, std::string_view name);

}  // namespace onward
