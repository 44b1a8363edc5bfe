// The tables of a .cbm, by the places that CatBoost's schema gives their fields. What a reader of ours does not need is left out.
#pragma once
#include "onward/formats/flatbuffer.h"

namespace onward::formats::cbm {

using Is = FlatField::Is;

inline constexpr plain::DType bytes{'u', 1}, ints{'i', 4}, steps{'u', 2}, floats{'f', 4}, doubles{'f', 8}, leaf_ids{'u', 4};

inline constexpr FlatField of_info[] = {{"key", 0, Is::text}, {"value", 1, Is::text}};
inline constexpr FlatTable info{of_info};

inline constexpr FlatField of_float_feature[] = {{"has_nans", 0, Is::boolean},
                                                 {"index", 1, Is::i32},
                                                 {"flat_index", 2, Is::i32},
                                                 {"borders", 3, Is::numbers, &floats},
                                                 {"name", 4, Is::text},
                                                 {"nan_value_treatment", 5, Is::i8}};
inline constexpr FlatTable float_feature{of_float_feature};

inline constexpr FlatField of_other_feature[] = {{"index", 0, Is::i32}, {"flat_index", 1, Is::i32}, {"name", 2, Is::text}};
inline constexpr FlatTable other_feature{of_other_feature};   // categories, text, embeddings

inline constexpr FlatField of_one_hot[] = {{"index", 0, Is::i32}, {"values", 1, Is::numbers, &ints}};
inline constexpr FlatTable one_hot{of_one_hot};

inline constexpr FlatField of_combination[] = {{"categories", 0, Is::numbers, &ints},
                                               {"float_splits", 1, Is::numbers, &ints, 2},   // index, then the bits of a float border
                                               {"one_hot_splits", 2, Is::numbers, &ints, 2}};
inline constexpr FlatTable combination{of_combination};

inline constexpr FlatField of_ctr_base[] = {
    {"combination", 0, Is::table, nullptr, 1, &combination}, {"type", 1, Is::i8}, {"classifier", 2, Is::i32}};
inline constexpr FlatTable ctr_base{of_ctr_base};

inline constexpr FlatField of_ctr[] = {{"base", 0, Is::table, nullptr, 1, &ctr_base},
                                       {"target_border_idx", 1, Is::i32},
                                       {"prior_numerator", 2, Is::f32},
                                       {"prior_denominator", 3, Is::f32},
                                       {"shift", 4, Is::f32},
                                       {"scale", 5, Is::f32}};
inline constexpr FlatTable ctr{of_ctr};

inline constexpr FlatField of_ctr_feature[] = {{"ctr", 0, Is::table, nullptr, 1, &ctr}, {"borders", 1, Is::numbers, &floats}};
inline constexpr FlatTable ctr_feature{of_ctr_feature};

inline constexpr FlatField of_trees[] = {{"dimension", 0, Is::i32},
                                         {"splits", 1, Is::numbers, &ints},
                                         {"sizes", 2, Is::numbers, &ints},
                                         {"starts", 3, Is::numbers, &ints},
                                         {"categories", 4, Is::tables, nullptr, 1, &other_feature},
                                         {"floats", 5, Is::tables, nullptr, 1, &float_feature},
                                         {"one_hots", 6, Is::tables, nullptr, 1, &one_hot},
                                         {"ctrs", 7, Is::tables, nullptr, 1, &ctr_feature},
                                         {"leaf_values", 8, Is::numbers, &doubles},
                                         {"steps", 10, Is::numbers, &steps, 2},
                                         {"leaf_ids", 11, Is::numbers, &leaf_ids},
                                         {"texts", 12, Is::tables, nullptr, 1, &other_feature},
                                         {"scale", 14, Is::f64},
                                         {"bias", 15, Is::f64},
                                         {"biases", 16, Is::numbers, &doubles},
                                         {"embeddings", 18, Is::tables, nullptr, 1, &other_feature}};
inline constexpr FlatTable trees{of_trees};

inline constexpr FlatField of_core[] = {{"format", 0, Is::text},
                                        {"trees", 1, Is::table, nullptr, 1, &trees},
                                        {"info", 2, Is::tables, nullptr, 1, &info},
                                        {"parts", 3, Is::texts}};
inline constexpr FlatTable core{of_core};

inline constexpr FlatField of_ctr_table[] = {{"base", 0, Is::table, nullptr, 1, &ctr_base},
                                             {"index", 1, Is::numbers, &bytes},   // buckets: uint64 hash, uint32 row
                                             {"blob", 2, Is::numbers, &bytes},
                                             {"denominator", 3, Is::i32},
                                             {"classes", 4, Is::i32}};
inline constexpr FlatTable ctr_table{of_ctr_table};

}  // namespace onward::formats::cbm
