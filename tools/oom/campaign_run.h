// Carries out what `oom` is asked for: a first run that lists the stacks, then a failure for each.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "tools/oom/campaign_state.h"
#include "tools/oom/trial.h"
#include "tools/verdict/findings.h"

namespace mallocspy {

struct CampaignPlan {
  std::string library;              // libmallocspy.so
  std::string faults;               // the fault spy
  std::vector<std::string> within;  // as IsOnStack() takes them
  uint64_t limit = UINT64_MAX;
  uint64_t timeout_seconds = 0;  // 0: by the first run's time
  uint64_t jobs = 0;             // 0: one for each processor
  bool fork = false;
  bool show_progress = false;
  std::function<void(std::vector<Findings>*)> accept;  // sets aside leaks that are accepted
};

// `campaign` has the program and the trials that are known already; these are not made again. Each new one is added to `state` as it ends. The
// error says why nothing, or nothing more, could be tried; what was found out until then is in `campaign`. In a process with one thread.
absl::Status RunCampaign(const CampaignPlan& plan, CampaignState* state, Campaign* campaign);

}  // namespace mallocspy
