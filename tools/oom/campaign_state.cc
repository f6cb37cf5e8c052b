#include "tools/oom/campaign_state.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tools/oom/trial_json.h"
#include "tools/report/json_parts.h"
#include "tools/report/report_sink.h"
#include "tools/wording/escape.h"

namespace mallocspy {
namespace {

using nlohmann::json;

constexpr char kStateSchema[] = "mallocspy-oom-state/1";
constexpr char kReportSchema[] = "mallocspy-oom/1";

absl::Status Refused(const std::string& path, absl::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat("'", Escaped(path), "' ", why));
}

std::string FirstLine(const Campaign& campaign) {
  nlohmann::ordered_json json;
  json["schema"] = kStateSchema;
  json["program"] = JsonText(campaign.program);
  json["arguments"] = nlohmann::ordered_json::array();
  for (const std::string& argument : campaign.arguments) json["arguments"].push_back(JsonText(argument));
  return json.dump() + "\n";
}

bool ReadProgram(const json& value, Campaign* campaign) {
  if (!value.contains("program") || !value["program"].is_string() || !value.contains("arguments") || !value["arguments"].is_array()) {
    return false;
  }
  campaign->program = value["program"].get<std::string>();
  for (const json& argument : value["arguments"]) {
    if (!argument.is_string()) return false;
    campaign->arguments.push_back(argument.get<std::string>());
  }
  return !campaign->arguments.empty();
}

// `text` is that of a state file; `whole` is how many bytes of it are whole lines.
absl::StatusOr<Campaign> ReadState(const std::string& path, const std::string& text, size_t* whole) {
  Campaign campaign;
  *whole = 0;
  while (*whole < text.size()) {
    const size_t end = text.find('\n', *whole);
    if (end == std::string::npos) break;  // cut off as it was written
    const json line = json::parse(text.begin() + static_cast<std::ptrdiff_t>(*whole), text.begin() + static_cast<std::ptrdiff_t>(end), nullptr, false);
    const bool first = *whole == 0;
    const bool is_state = first && line.is_object() && line.contains("schema") && line["schema"] == kStateSchema;
    if (first && !is_state) return Refused(path, "is no state file of 'mallocspy oom'; it was not changed");
    if (first ? !ReadProgram(line, &campaign) : !ReadTrial(line, &campaign.trials.emplace_back())) {
      return Refused(path, "is damaged: it contradicts the schema mallocspy-oom-state/1");
    }
    *whole = end + 1;
  }
  return campaign;
}

absl::StatusOr<std::string> ReadAll(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return absl::ErrnoToStatus(errno, absl::StrCat("cannot read '", Escaped(path), "'"));
  std::string text((std::istreambuf_iterator<char>(file)), {});
  if (file.bad()) return absl::DataLossError(absl::StrCat("cannot read '", Escaped(path), "'"));
  return text;
}

}  // namespace

absl::StatusOr<CampaignState> CampaignState::Open(const std::string& path, Campaign* campaign) {
  CampaignState state;
  state.descriptor_ = open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
  struct stat status;
  if (state.descriptor_ < 0 || fstat(state.descriptor_, &status) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot keep the state in '", Escaped(path), "'"));
  }
  if (!S_ISREG(status.st_mode)) return Refused(path, "is no regular file; --state needs one");
  const std::string first_line = FirstLine(*campaign);
  if (status.st_size == 0) {
    const absl::Status written = WriteAll(state.descriptor_, first_line);
    if (!written.ok()) return written;
    return state;
  }
  const absl::StatusOr<std::string> text = ReadAll(path);
  if (!text.ok()) return text.status();
  size_t whole;
  absl::StatusOr<Campaign> known = ReadState(path, *text, &whole);
  if (!known.ok()) return known.status();
  if (whole == 0) return Refused(path, "is no state file of 'mallocspy oom'; it was not changed");
  if (text->compare(0, first_line.size(), first_line) != 0) {
    return Refused(path, "is about another program or other arguments; give another --state");
  }
  if (ftruncate(state.descriptor_, static_cast<off_t>(whole)) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot keep the state in '", Escaped(path), "'"));
  }
  campaign->trials = std::move(known->trials);
  return state;
}

CampaignState::~CampaignState() {
  if (descriptor_ >= 0) close(descriptor_);
}

CampaignState::CampaignState(CampaignState&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

CampaignState& CampaignState::operator=(CampaignState&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

absl::Status CampaignState::Add(const Campaign& campaign, const Trial& trial) {
  return descriptor_ < 0 ? absl::OkStatus() : WriteAll(descriptor_, TrialJson(campaign, trial).dump() + "\n");
}

absl::StatusOr<Campaign> ReadCampaign(const std::string& path) {
  const absl::StatusOr<std::string> text = ReadAll(path);
  if (!text.ok()) return text.status();
  const json document = json::parse(text->begin(), text->end(), nullptr, /*allow_exceptions=*/false);
  if (!document.is_object() || !document.contains("schema") || document["schema"] != kReportSchema) {
    size_t whole;
    absl::StatusOr<Campaign> state = ReadState(path, *text, &whole);
    if (state.ok() && whole != 0) return state;
    return Refused(path, "is neither a state file nor a JSON report of 'mallocspy oom'");
  }
  Campaign campaign;
  const absl::Status damaged = Refused(path, "is damaged: it contradicts the schema mallocspy-oom/1");
  if (!ReadProgram(document, &campaign) || !document.contains("outcomes") || !document["outcomes"].is_array()) return damaged;
  for (const json& value : document["outcomes"]) {
    if (!ReadTrial(value, &campaign.trials.emplace_back())) return damaged;
  }
  return campaign;
}

}  // namespace mallocspy
