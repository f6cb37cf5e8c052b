#include "tools/report/sarif_rules.h"

#include "absl/strings/str_cat.h"
#include "tools/report/severity.h"
#include "tools/wording/escape.h"

namespace mallocspy {
namespace {

struct LeakRow {
  LeakClass leak_class;
  const char* description;
};

constexpr LeakRow kLeaks[] = {
    {LeakClass::kDefinite, "Memory that was never freed and that nothing points at any more"},
    {LeakClass::kIndirect, "Memory that only leaked memory points at"},
    {LeakClass::kPossible, "Memory that was never freed and that is pointed at in its middle only"},
    {LeakClass::kReachable, "Memory that was never freed and that the program could still reach at its end"},
    {LeakClass::kUnknown, "Memory that was never freed; whether the program could still reach it is not known"},
};

struct ErrorRow {
  const char* kind;
  const char* description;
};

constexpr ErrorRow kErrors[] = {
    {"double-free", "A block was freed that had been freed before"},
    {"invalid-free", "What was freed is not the start of a block"},
    {"mismatched-free", "A block was freed by another kind of function than the one that made it"},
    {"heap-overflow", "The program wrote behind the end of a block"},
    {"heap-underflow", "The program wrote in front of the start of a block"},
    {"use-after-free-write", "The program wrote into a block after it was freed"},
    {"sized-delete-mismatch", "A block was deleted with another size than the one it was made with"},
    {"bad-alignment", "A block was asked for or deleted with an alignment that is wrong"},
    {"use-after-free-read", "The program read a block after it was freed"},
    {"heap-overflow-read", "The program read behind the end of a block"},
    {"heap-underflow-read", "The program read in front of the start of a block"},
    {"unbalanced-references", "An object's references were not all released"},
    {"spy-contract", "A spy broke the contract of IMallocSpy"},
};

}  // namespace

absl::string_view SarifLevel(LeakClass leak_class) {
  switch (SeverityOf(leak_class)) {
    case Severity::kError:
      return "error";
    case Severity::kWarning:
      return "warning";
    case Severity::kNote:
      return "note";
  }
  return "error";
}

SarifRules::SarifRules() {
  for (const LeakRow& row : kLeaks) Add(LeakRule(row.leak_class), row.description, SarifLevel(row.leak_class));
  for (const ErrorRow& row : kErrors) Add(row.kind, row.description, "error");
}

std::string SarifRules::LeakRule(LeakClass leak_class) { return absl::StrCat("leak-", NameOf(leak_class)); }

uint64_t SarifRules::IndexOf(const std::string& id) {
  if (!indices_.contains(id)) Add(id, "A misuse of the heap", "error");
  return indices_[id];
}

void SarifRules::Add(const std::string& id, absl::string_view description, absl::string_view level) {
  indices_[id] = rules_.size();
  nlohmann::ordered_json rule;
  rule["id"] = ValidUtf8(id);
  rule["shortDescription"]["text"] = std::string(description);
  rule["defaultConfiguration"]["level"] = std::string(level);
  rules_.push_back(rule);
}

}  // namespace mallocspy
