#include "tools/verdict/judged_programs.h"

#include <fnmatch.h>

#include <algorithm>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "tools/verdict/own_program.h"
#include "tools/wording/escape.h"

namespace mallocspy {
namespace {

std::vector<Findings*> EveryProcessOf(std::vector<Findings>* reports) {
  std::vector<Findings*> processes;
  for (Findings& report : *reports) {
    processes.push_back(&report);
    for (Findings& child : report.children) processes.push_back(&child);
  }
  return processes;
}

// Libraries that all recorded processes loaded: they were preloaded, as a --spy is, and tell nothing of anyone.
absl::flat_hash_set<std::string> LibrariesOfAll(const std::vector<Findings*>& processes) {
  absl::flat_hash_map<std::string, size_t> loaded;
  size_t recorded = 0;
  for (const Findings* process : processes) {
    if (!process->process.interposed) continue;
    ++recorded;
    for (const std::string& library : process->process.own_libraries) ++loaded[library];
  }
  absl::flat_hash_set<std::string> of_all;
  for (const auto& [library, times] : loaded) {
    if (times == recorded) of_all.insert(library);
  }
  return of_all;
}

bool IsOwn(const Process& process, const absl::flat_hash_set<std::string>& preloaded) {
  if (absl::StartsWith(process.exe, "/") && !IsSystemPath(process.exe) && !IsDriver(process.exe)) return true;
  return std::any_of(process.own_libraries.begin(), process.own_libraries.end(),
                     [&preloaded](const std::string& library) { return !preloaded.contains(library); });
}

bool Matches(const std::string& pattern, const std::string& exe) {
  const std::string name = absl::StrContains(pattern, "/") ? exe : exe.substr(exe.rfind('/') + 1);
  return fnmatch(pattern.c_str(), name.c_str(), 0) == 0;
}

}  // namespace

absl::Status JudgedPrograms::Add(absl::string_view list) {
  for (const absl::string_view word : absl::StrSplit(list, ',')) {
    if (word.empty()) {
      return absl::InvalidArgumentError("--judge needs own, all, or the name of a program, as in --judge='*_test'");
    }
    own_ |= word == "own";
    all_ |= word == "all";
    if (word != "own" && word != "all") patterns_.emplace_back(word);
  }
  return absl::OkStatus();
}

absl::Status JudgedPrograms::Apply(std::vector<Findings>* reports) const {
  const std::vector<Findings*> processes = EveryProcessOf(reports);
  const bool by_default = !own_ && patterns_.empty();
  const absl::flat_hash_set<std::string> preloaded = LibrariesOfAll(processes);
  bool any = false;
  for (Findings* process : processes) {
    const Process& it = process->process;
    bool judged = all_ || ((own_ || by_default) && IsOwn(it, preloaded));
    for (const std::string& pattern : patterns_) judged = judged || Matches(pattern, it.exe);
    process->verdict.judged = judged;
    any = any || judged;
    // Who names his programs knows what else runs.
    if (!judged && !patterns_.empty()) process->verdict.unseen = false;
  }
  if (any) return absl::OkStatus();
  const std::string& first = processes[0]->process.exe;
  for (Findings* process : processes) {
    process->verdict.judged = !patterns_.empty() || process->process.exe == first || !IsDriver(process->process.exe);
  }
  if (patterns_.empty()) return absl::OkStatus();
  return absl::NotFoundError(
      absl::StrCat("--judge=", Escaped(absl::StrJoin(patterns_, ",")),
                   ": no program of this name ran, so the check is incomplete; a pattern is "
                   "compared with the program's name or, with a '/' in it, with its whole path"));
}

}  // namespace mallocspy
