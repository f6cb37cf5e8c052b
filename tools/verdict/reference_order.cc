#include "tools/verdict/reference_order.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace mallocspy {
namespace {

// Of the object itself rather than of somebody who uses it.
bool IsOfTheCount(const std::string& function) {
  for (const char* const name : {"ReferenceCount::", "AddRef(", "Release(", "_add_ref", "_release"}) {
    if (absl::StrContains(function, name)) return true;
  }
  return function == "AddRef" || function == "Release";
}

// The functions that used the object, without lines.
std::string UserOf(const ReferenceCall& call) {
  auto first = call.frames.begin();
  while (first != call.frames.end() && IsOfTheCount(first->function)) ++first;
  std::string user;
  for (; first != call.frames.end(); ++first) {
    absl::StrAppend(&user, first->module, " ", first->function, first->function.empty() ? absl::StrCat(first->offset) : "", "\n");
  }
  return user;
}

}  // namespace

void OrderByBalance(std::vector<ReferenceCall>* calls) {
  std::map<std::string, int64_t> balances;
  for (const ReferenceCall& call : *calls) balances[UserOf(call)] += static_cast<int64_t>(call.added) - static_cast<int64_t>(call.released);
  std::vector<std::pair<int64_t, ReferenceCall>> ranked;
  for (ReferenceCall& call : *calls) {
    const int64_t balance = balances[UserOf(call)];
    ranked.emplace_back(balance, std::move(call));
  }
  std::stable_sort(ranked.begin(), ranked.end(), [](const auto& a, const auto& b) {
    if (a.first != b.first) return a.first > b.first;
    return a.second.added + b.second.released > b.second.added + a.second.released;
  });
  for (size_t i = 0; i < ranked.size(); ++i) (*calls)[i] = std::move(ranked[i].second);
}

}  // namespace mallocspy
