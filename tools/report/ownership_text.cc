#include "tools/report/ownership_text.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "tools/report/summary_text.h"
#include "tools/wording/escape.h"

namespace mallocspy {
namespace {

std::string ModuleName(const std::string& path) {
  return path.empty() ? "(unknown)" : Escaped(path.substr(path.rfind('/') + 1));  // npos + 1 is 0
}

std::string Side(const std::string& module, Door door) {
  return door == Door::kNone ? ModuleName(module) : absl::StrCat(ModuleName(module), " by ", NameOf(door));
}

// What passed from one module to another or through another door comes first: that is what is looked for.
bool IsPlain(const Handover& handover) { return handover.maker == handover.freer && DoorsMatch(handover.made, handover.freed); }

void AppendTable(const Findings& findings, std::string* text) {
  std::vector<const Handover*> rows;
  for (const Handover& handover : findings.ownership) rows.push_back(&handover);
  std::stable_sort(rows.begin(), rows.end(), [](const Handover* a, const Handover* b) {
    const bool a_matches = DoorsMatch(a->made, a->freed), b_matches = DoorsMatch(b->made, b->freed);
    return a_matches != b_matches ? b_matches : IsPlain(*a) < IsPlain(*b);
  });
  size_t made = 7, freed = 8;
  for (const Handover* row : rows) {
    made = std::max(made, Side(row->maker, row->made).size());
    freed = std::max(freed, Side(row->freer, row->freed).size());
  }
  absl::StrAppend(text, "mallocspy: who freed what in ", ProcessName(findings.process), "\n");
  absl::StrAppendFormat(text, "  %-*s  %-*s  %12s  %14s\n", made, "made in", freed, "freed in", "blocks", "bytes");
  for (const Handover* row : rows) {
    absl::StrAppendFormat(text, "  %-*s  %-*s  %12d  %14d%s\n", made, Side(row->maker, row->made), freed, Side(row->freer, row->freed),
                          row->blocks, row->bytes, DoorsMatch(row->made, row->freed) ? "" : "  another door");
  }
}

}  // namespace

std::string OwnershipText(const std::vector<Findings>& reports) {
  std::string text;
  for (const Findings* process : EveryProcess(reports)) {
    if (!process->ownership.empty()) AppendTable(*process, &text);
  }
  if (text.empty()) text = "mallocspy: who freed what was not recorded; 'mallocspy run --ownership' records it\n";
  return text;
}

}  // namespace mallocspy
