// The file in which `oom --state` keeps what it found out: a line of JSON about the program, then one for each trial as it ends. A command
// that was cut short goes on from it, and --repeat reads it, or a JSON report, which has the same in one document.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tools/oom/trial.h"

namespace mallocspy {

class CampaignState {
 public:
  // Nothing is kept.
  CampaignState() = default;

  // Opens the file at `path`, or makes it. What it knows goes to `campaign`'s trials, if it is about the same program and arguments; that it
  // is not is an error, like any file that cannot be used.
  static absl::StatusOr<CampaignState> Open(const std::string& path, Campaign* campaign);
  ~CampaignState();
  CampaignState(CampaignState&& other) noexcept;
  CampaignState& operator=(CampaignState&& other) noexcept;
  CampaignState(const CampaignState&) = delete;

  absl::Status Add(const Campaign& campaign, const Trial& trial);

 private:
  int descriptor_ = -1;
};

// Of a state file or a JSON report of `oom`.
absl::StatusOr<Campaign> ReadCampaign(const std::string& path);

}  // namespace mallocspy
