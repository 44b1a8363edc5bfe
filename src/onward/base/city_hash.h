// CityHash64 in its version 1.0.2, by Geoff Pike and Jyrki Alakuijala: the number that CatBoost gives a word. Later versions differ.
#pragma once
#include <cstdint>
#include <string_view>

namespace onward {

uint64_t city_hash(std::string_view text);

}  // namespace onward
