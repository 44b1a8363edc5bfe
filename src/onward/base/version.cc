#include "onward/base/version.h"

namespace onward {
const std::string_view version = ONWARD_VERSION;
}
