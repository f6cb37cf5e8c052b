#include "tools/export/json_writing.h"

#include <nlohmann/json.hpp>

#include "tools/wording/escape.h"

namespace mallocspy {

std::string JsonString(absl::string_view text) { return nlohmann::json(ValidUtf8(text)).dump(); }

}  // namespace mallocspy
