#include "tools/report/sarif_location.h"

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tools/wording/escape.h"

namespace mallocspy {
namespace {

using Json = nlohmann::ordered_json;

// Where the file of `frame` is; null if it has none, or one with a name that leads nowhere from here.
Json FileLocation(const Frame& frame, SourceRoot* root) {
  Json location;
  if (const std::string& relative = root->Within(frame.file); !relative.empty()) {
    location["artifactLocation"] = {{"uri", UriPath(relative)}, {"uriBaseId", "%SRCROOT%"}};
  } else if (absl::StartsWith(frame.file, "/")) {
    location["artifactLocation"]["uri"] = FileUri(frame.file);
  } else {
    return location;
  }
  if (frame.line > 0) {
    location["region"]["startLine"] = frame.line;
    if (frame.column > 0) location["region"]["startColumn"] = frame.column;
  }
  return location;
}

Json Location(const Frame& frame, Json physical) {
  Json location = Json::object();
  if (!physical.is_null()) location["physicalLocation"] = std::move(physical);
  if (!frame.function.empty()) {
    location["logicalLocations"] =
        Json::array({{{"fullyQualifiedName", ValidUtf8(frame.function)}, {"kind", "function"}}});
  }
  return location;
}

}  // namespace

std::string UriPath(absl::string_view path) {
  std::string uri;
  for (const char c : path) {
    if (absl::ascii_isalnum(static_cast<unsigned char>(c)) || absl::StrContains("-._~/", absl::string_view(&c, 1))) {
      uri.push_back(c);
    } else {
      absl::StrAppend(&uri, "%",
                      absl::AsciiStrToUpper(absl::StrCat(absl::Hex(static_cast<unsigned char>(c), absl::kZeroPad2))));
    }
  }
  return uri;
}

std::string FileUri(absl::string_view path) { return absl::StrCat("file://", UriPath(path)); }

Json SarifPlace(const std::vector<Frame>& frames, SourceRoot* root) {
  if (const Frame* const own = root->FirstOwn(frames); own != nullptr) return Location(*own, FileLocation(*own, root));
  for (const Frame& frame : frames) {
    if (absl::StartsWith(frame.file, "/")) return Location(frame, FileLocation(frame, root));
  }
  for (const Frame& frame : frames) {
    if (absl::StartsWith(frame.module, "/")) {
      return Location(frame, {{"artifactLocation", {{"uri", FileUri(frame.module)}}}});
    }
  }
  return Json::object();
}

Json SarifStack(absl::string_view message, const std::vector<Frame>& frames, SourceRoot* root) {
  Json stack;
  stack["message"]["text"] = std::string(message);
  stack["frames"] = Json::array();
  for (const Frame& frame : frames) {
    Json physical = FileLocation(frame, root);
    if (physical.is_null()) physical["address"]["absoluteAddress"] = frame.address;
    Json json;
    json["location"] = Location(frame, std::move(physical));
    if (!frame.module.empty()) json["module"] = ValidUtf8(frame.module);
    stack["frames"].push_back(std::move(json));
  }
  return stack;
}

}  // namespace mallocspy
