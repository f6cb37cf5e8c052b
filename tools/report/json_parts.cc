#include "tools/report/json_parts.h"

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "tools/wording/escape.h"

namespace mallocspy {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

ordered_json FrameJson(const Frame& frame) {
  ordered_json json;
  json["module"] = JsonTextOrNull(frame.module);
  json["build_id"] = JsonTextOrNull(frame.build_id);
  json["offset"] = frame.offset;
  json["function"] = JsonTextOrNull(frame.function);
  json["file"] = JsonTextOrNull(frame.file);
  json["line"] = frame.line > 0 ? ordered_json(frame.line) : ordered_json(nullptr);
  json["inlined"] = frame.inlined;
  return json;
}

const json kMissing;

const json& At(const json& object, const char* key) {
  const auto found = object.find(key);
  return found == object.end() ? kMissing : *found;
}

std::string TextAt(const json& object, const char* key) {
  const json& value = At(object, key);
  return value.is_string() ? value.get<std::string>() : "";
}

bool ReadFrame(const json& value, Frame* frame) {
  if (!value.is_object()) return false;
  frame->module = TextAt(value, "module");
  frame->build_id = TextAt(value, "build_id");
  frame->function = TextAt(value, "function");
  frame->file = TextAt(value, "file");
  const json& offset = At(value, "offset");
  if (offset.is_number_unsigned()) frame->offset = offset.get<uint64_t>();
  const json& line = At(value, "line");
  if (line.is_number_unsigned() && line.get<uint64_t>() <= INT32_MAX) frame->line = line.get<int>();
  const json& inlined = At(value, "inlined");
  frame->inlined = inlined.is_boolean() && inlined.get<bool>();
  return true;
}

}  // namespace

ordered_json JsonText(absl::string_view text) { return ValidUtf8(text); }
ordered_json JsonTextOrNull(absl::string_view text) { return text.empty() ? ordered_json(nullptr) : JsonText(text); }

ordered_json StackJson(const std::vector<Frame>& frames) {
  ordered_json json = ordered_json::array();
  for (const Frame& frame : frames) json.push_back(FrameJson(frame));
  return json;
}

bool ReadStack(const json& value, std::vector<Frame>* frames) {
  if (!value.is_array()) return false;
  for (const json& frame : value) {
    if (!ReadFrame(frame, &frames->emplace_back())) return false;
  }
  return true;
}

}  // namespace mallocspy
