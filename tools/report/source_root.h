// The directory in which the command runs: the files below it are taken for the user's own sources, and the formats
// that point into sources name them relative to it.
#pragma once

#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "tools/verdict/findings.h"

namespace mallocspy {

// Remembers what it found out about a file; for one thread.
class SourceRoot {
 public:
  explicit SourceRoot(const std::string& directory);
  static SourceRoot Current();

  // An absolute path; empty if the directory is not known, and then no file lies below it.
  const std::string& directory() const { return directory_; }

  // The path of `file` relative to the directory, without ".." in it; empty if it lies elsewhere. A relative name,
  // which compilers leave when they were told to, counts if there is such a file.
  const std::string& Within(const std::string& file);

  // The innermost frame whose file lies below the directory; null if none does.
  const Frame* FirstOwn(const std::vector<Frame>& frames);

 private:
  std::string Find(const std::string& file) const;

  std::string directory_;
  std::string canonical_;  // the same without symbolic links
  absl::flat_hash_map<std::string, std::string> known_;
};

}  // namespace mallocspy
