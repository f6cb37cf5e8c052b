#include "tools/command/leak_source.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

#include "tools/reader/reader.h"
#include "tools/report/report_reader.h"
#include "tools/verdict/assessment.h"
#include "tools/wording/escape.h"

namespace mallocspy {

absl::StatusOr<LeakSource> ReadLeakSource(const std::string& path) {
  std::error_code ignored;
  // Anything else, a pipe for example, is the snapshot reader's to refuse.
  std::ifstream file;
  if (std::filesystem::is_regular_file(path, ignored)) file.open(path, std::ios::binary);
  if (file.is_open() && (file >> std::ws).peek() == '{') {
    file.seekg(0);
    const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    absl::StatusOr<std::vector<Leak>> leaks = LeaksOfJsonReport(text, path);
    if (!leaks.ok()) return leaks.status();
    return LeakSource{*std::move(leaks), std::nullopt};
  }
  absl::StatusOr<Snapshot> snapshot = ReadSnapshotFile(path);
  if (!snapshot.ok()) return absl::InvalidArgumentError(Escaped(snapshot.status().message()));
  FrameNamer namer(/*show_progress=*/false);
  Findings findings = Assess(*snapshot, Circumstances(), kAllLeaks, &namer);
  return LeakSource{std::move(findings.leaks), *std::move(snapshot)};
}

absl::StatusOr<std::vector<Leak>> ReadLeaks(const std::string& path) {
  absl::StatusOr<LeakSource> source = ReadLeakSource(path);
  if (!source.ok()) return source.status();
  return std::move(source->leaks);
}

}  // namespace mallocspy
