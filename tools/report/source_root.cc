#include "tools/report/source_root.h"

#include <filesystem>
#include <system_error>

#include "absl/strings/match.h"

namespace mallocspy {
namespace {

namespace fs = std::filesystem;

// The path of `file` below `directory`, both normal and absolute, or "".
std::string Below(const fs::path& file, const fs::path& directory) {
  const std::string relative = file.lexically_relative(directory).string();
  return relative == "." || relative == ".." || absl::StartsWith(relative, "../") ? "" : relative;
}

}  // namespace

SourceRoot::SourceRoot(const std::string& directory) {
  if (directory.empty()) return;
  std::error_code error;
  directory_ = fs::path(directory).lexically_normal();
  if (directory_.size() > 1 && directory_.back() == '/') directory_.pop_back();
  canonical_ = fs::weakly_canonical(directory_, error);
  if (error) canonical_ = directory_;
}

SourceRoot SourceRoot::Current() {
  std::error_code error;
  const fs::path directory = fs::current_path(error);
  return SourceRoot(error ? "" : directory.string());
}

std::string SourceRoot::Find(const std::string& file) const {
  if (file.empty() || directory_.empty() || file.find('\0') != std::string::npos) return "";
  std::error_code error;
  fs::path path = file;
  if (path.is_relative()) {
    path = fs::path(directory_) / path;
    if (!fs::is_regular_file(path, error)) return "";
  }
  const std::string below = Below(path.lexically_normal(), directory_);
  if (!below.empty()) return below;
  // The compiler may have been told the directory by another name.
  const fs::path canonical = fs::weakly_canonical(path, error);
  return error ? "" : Below(canonical, canonical_);
}

const std::string& SourceRoot::Within(const std::string& file) {
  const auto [place, added] = known_.try_emplace(file);
  if (added) place->second = Find(file);
  return place->second;
}

const Frame* SourceRoot::FirstOwn(const std::vector<Frame>& frames) {
  for (const Frame& frame : frames) {
    if (!Within(frame.file).empty()) return &frame;
  }
  return nullptr;
}

}  // namespace mallocspy
