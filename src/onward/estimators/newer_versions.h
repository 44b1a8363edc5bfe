// Files of library versions that came after this release: what they say beyond what the versions that it knows do.
#pragma once
#include "onward/estimators/reading.h"

namespace onward {

// Notes in the reading what an object of such a version has that no object of its class had before.
void note_newer(Reading&, const plain::Value& object, const Facts&);

// One warning for each such library and version.
std::vector<std::string> newer_warnings(const Reading&);

}  // namespace onward
