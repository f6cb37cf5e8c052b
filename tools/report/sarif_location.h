// Places in the words of SARIF: frames, stacks, files as URIs.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "tools/report/source_root.h"
#include "tools/verdict/findings.h"

namespace mallocspy {

// A path as the part of a URI: slashes stay, every byte that means something in a URI, or nothing, is %XX.
std::string UriPath(absl::string_view path);

// "file:///usr/lib/libc.so.6"; `path` is absolute.
std::string FileUri(absl::string_view path);

// The frame at which a viewer should open the sources, as a location: the first below `root`, else the first with a
// file, else the first module. An empty object if nothing is known.
nlohmann::ordered_json SarifPlace(const std::vector<Frame>& frames, SourceRoot* root);

// All frames, named `message` (text without a name of the program in it).
nlohmann::ordered_json SarifStack(absl::string_view message, const std::vector<Frame>& frames, SourceRoot* root);

}  // namespace mallocspy
