// The columns that a CatBoost model's trees test, out of the columns of a table.
#pragma once
#include "onward/estimators/catboost_model.h"
#include "onward/estimators/fields.h"

namespace onward::catboost {

// (batch, used.size()) in double, each exactly as the library sees it: numbers rounded to float32, categories by their hashes, and
// the float32 statistics of CTRs. Words are hashed by an operator of our own unless the file lists all that matter.
Expr tested_columns(const Model&, std::span<const int64_t> used, const Frame& x);

// Whether that is so for these columns.
bool hashes_words(const Model&, std::span<const int64_t> used);
inline constexpr const char* hash_operator = "CatBoostHash";
inline constexpr std::string_view hash_need = "hashing the words of categories";

// Keeps the words that the file lists where they are all that its trees can tell apart; else they say too little.
void keep_words(Model&);

}  // namespace onward::catboost
