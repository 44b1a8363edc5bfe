// CatBoost models as CatBoost saves them: .cbm (a FlatBuffer, then the tables of its CTRs) and .json.
#pragma once
#include "onward/estimators/plain.h"
#include "onward/formats/limits.h"

namespace onward::formats {

bool is_catboost(std::string_view bytes);
// An object of class catboost.CatBoostModel, which is no class of the library, that holds the model as `__model`: the JSON as it stands,
// or {"core": the FlatBuffer, "ctr_tables": […], "model_info": as the JSON has it}.
plain::Document read_catboost(std::string_view bytes, std::shared_ptr<const void> owner, const Limits&);

}  // namespace onward::formats
