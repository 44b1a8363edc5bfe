// What run-case and run-cases share.
#pragma once
#include "onward/cli/call.h"

namespace onward::cli {

void run_case(const Call& call, const std::string& model, const std::string& inputs, const std::string& outputs);
std::string verdict_of(const Error& error);              // "unsupported …" or "error …", on one line

}  // namespace onward::cli
