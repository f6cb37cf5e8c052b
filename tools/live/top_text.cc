#include "tools/live/top_text.h"

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "tools/report/json_parts.h"
#include "tools/wording/base_name.h"
#include "tools/wording/count.h"
#include "tools/wording/escape.h"
#include "tools/wording/size_text.h"

namespace mallocspy {

using nlohmann::ordered_json;

std::string TopHeading(const TopView& view, uint32_t pid) {
  const TopTotals& totals = view.totals();
  // A program's file may be called by another name, for instance through a link.
  const std::vector<std::string>& arguments = view.snapshot().cmdline;
  const absl::string_view name = BaseName(arguments.empty() ? view.snapshot().exe : arguments[0]);
  return absl::StrCat(Escaped(name), " (pid ", pid, "): ", SizeText(static_cast<int64_t>(totals.live_bytes)), " in ",
                      Count(totals.live_blocks, "block"), ", peak ", SizeText(static_cast<int64_t>(totals.peak_bytes)));
}

std::string TopText(TopView* view, uint32_t pid, const TopSelection& selection) {
  const std::vector<TopRow> rows = view->Rows(selection.sort, selection.filter);
  const TopTotals& totals = view->totals();
  std::string text = absl::StrCat(TopHeading(*view, pid), "\n", Count(totals.live_bytes, "byte"), " live; ", Count(totals.allocations, "allocation"),
                                  ", ", Count(totals.frees, "free"), " so far\n\n");
  absl::StrAppendFormat(&text, "%14s %11s %13s  %-9s %s\n", "live bytes", "blocks", "allocations", "door", "stack");
  for (size_t i = 0; i < rows.size() && i < selection.most_rows; ++i) {
    absl::StrAppendFormat(&text, "%14d %11d %13d  %-9s %s\n", rows[i].live_bytes, rows[i].live_blocks, rows[i].allocations, NameOf(rows[i].door),
                          Escaped(view->Label(rows[i].stack)));
  }
  if (rows.size() > selection.most_rows) {
    absl::StrAppend(&text, "and ", Count(rows.size() - selection.most_rows, "more stack"), "; --top=N shows more\n");
  }
  if (rows.empty()) absl::StrAppend(&text, selection.filter.empty() ? "nothing was allocated yet\n" : "no stack contains that\n");
  return text;
}

std::string TopJson(TopView* view, uint32_t pid, const TopSelection& selection) {
  const std::vector<TopRow> rows = view->Rows(selection.sort, selection.filter);
  const TopTotals& totals = view->totals();
  ordered_json arguments = ordered_json::array();
  for (const std::string& argument : view->snapshot().cmdline) arguments.push_back(JsonText(argument));
  ordered_json json;
  json["schema"] = "mallocspy-top/1";
  json["process"] = {{"pid", pid}, {"exe", JsonText(view->snapshot().exe)}, {"cmdline", arguments}};
  json["time"] = absl::FormatTime(absl::RFC3339_full, view->when(), absl::UTCTimeZone());
  json["totals"] = {{"allocations", totals.allocations}, {"allocated_bytes", totals.allocated_bytes}, {"frees", totals.frees},
                    {"live_blocks", totals.live_blocks}, {"live_bytes", totals.live_bytes},           {"peak_bytes", totals.peak_bytes},
                    {"foreign_frees", totals.foreign_frees}};
  ordered_json stacks = ordered_json::array();
  for (size_t i = 0; i < rows.size() && i < selection.most_rows; ++i) {
    stacks.push_back({{"live_bytes", rows[i].live_bytes},
                      {"live_blocks", rows[i].live_blocks},
                      {"allocations", rows[i].allocations},
                      {"allocated_bytes", rows[i].allocated_bytes},
                      {"frees", rows[i].frees},
                      {"door", NameOf(rows[i].door)},
                      {"frames", StackJson(view->FramesOf(rows[i].stack))}});
  }
  json["stacks"] = std::move(stacks);
  json["stacks_shown"] = std::min<uint64_t>(rows.size(), selection.most_rows);
  json["stacks_of"] = rows.size();
  return absl::StrCat(json.dump(2), "\n");
}

}  // namespace mallocspy
