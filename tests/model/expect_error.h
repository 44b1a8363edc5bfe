// What an action throws, as "E0303 message"; "" where it throws nothing.
#pragma once
#include <gtest/gtest.h>

#include "onward/base/error.h"

namespace onward {

template <class Action> std::string thrown(const Action& action) {
  try {
    action();
  } catch (const Error& e) {
    return id_of(e.code) + " " + e.message;
  }
  return "";
}

template <class Action> void expect_error(Code code, std::string_view part, const Action& action) {
  const std::string found = thrown(action);
  EXPECT_TRUE(found.starts_with(id_of(code)) && found.find(part) != found.npos) << "expected " << id_of(code) << " … " << part << "\nfound    " << found;
}

}  // namespace onward
