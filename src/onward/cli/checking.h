// The comparison of a model with its source, as `validate` and `convert --check` do it.
#pragma once
#include "onward/cli/call.h"

namespace onward::cli {

// Compares the session with the source on the rows of `data`, prints the report; 0 when they agree, 1 when not.
int check_converted(Call& call, const std::shared_ptr<const Session>& session, std::string_view model_bytes, const std::string& source, const std::string& data);

// Asks for leave to let Python load `source`, unless --trust gave it. Throws Error{usage} without a terminal.
void ask_for_trust(const Call& call, const std::string& source);

}  // namespace onward::cli
