#include "tools/oom/campaign_state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/scratch_directory.h"
#include "tools/oom/oom_report.h"

namespace mallocspy {
namespace {

using testing::HasSubstr;

Campaign Sample(const std::string& argument = "x") {
  Campaign campaign;
  campaign.program = "/usr/bin/program";
  campaign.arguments = {"program", argument};
  return campaign;
}

Trial Tried(const std::string& id, Outcome outcome = Outcome::kHandled) {
  Trial trial;
  trial.failed.id = id;
  trial.outcome = outcome;
  return trial;
}

constexpr char kOne[] = "0000000000000001";
constexpr char kTwo[] = "0000000000000002";

std::string Contents(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

TEST(CampaignState, IsGoneOnFrom) {
  const ScratchDirectory directory;
  const std::string path = directory.File("state");
  for (const char* const id : {kOne, kTwo}) {
    Campaign campaign = Sample();
    absl::StatusOr<CampaignState> state = CampaignState::Open(path, &campaign);
    ASSERT_TRUE(state.ok()) << state.status();
    EXPECT_EQ(id == kOne ? 0u : 1u, campaign.trials.size());
    EXPECT_TRUE(state->Add(campaign, Tried(id)).ok());
  }
  Campaign campaign = Sample();
  ASSERT_TRUE(CampaignState::Open(path, &campaign).ok());
  ASSERT_EQ(2u, campaign.trials.size());
  EXPECT_EQ(kTwo, campaign.trials[1].failed.id);
  EXPECT_EQ(std::filesystem::perms::owner_read | std::filesystem::perms::owner_write, std::filesystem::status(path).permissions());
}

TEST(CampaignState, WhatWasCutOffIsDropped) {
  const ScratchDirectory directory;
  const std::string path = directory.File("state");
  Campaign campaign = Sample();
  {
    absl::StatusOr<CampaignState> state = CampaignState::Open(path, &campaign);
    ASSERT_TRUE(state->Add(campaign, Tried(kOne)).ok());
  }
  const std::string whole = Contents(path);
  std::ofstream(path, std::ios::app) << "{\"outcome\":\"cra";
  absl::StatusOr<CampaignState> state = CampaignState::Open(path, &campaign);
  ASSERT_TRUE(state.ok());
  EXPECT_EQ(1u, campaign.trials.size());
  EXPECT_EQ(whole, Contents(path));
}

TEST(CampaignState, OnlyItsOwnFileIsChanged) {
  const ScratchDirectory directory;
  Campaign campaign = Sample();
  ASSERT_TRUE(CampaignState::Open(directory.File("state"), &campaign).ok());
  Campaign other = Sample("y");
  EXPECT_THAT(std::string(CampaignState::Open(directory.File("state"), &other).status().message()), HasSubstr("other arguments"));
  for (const char* const text : {"precious", "precious\n", "{}\n", "{\"schema\":\"mallocspy-report/1\"}\n", "\n", "[1]\n"}) {
    const std::string foreign = directory.Write("foreign", text);
    EXPECT_FALSE(CampaignState::Open(foreign, &campaign).ok()) << text;
    EXPECT_EQ(text, Contents(foreign));
  }
  EXPECT_FALSE(CampaignState::Open(directory.path(), &campaign).ok());
  EXPECT_FALSE(CampaignState::Open("/dev/full", &campaign).ok());
  EXPECT_FALSE(CampaignState::Open(directory.File("no/such"), &campaign).ok());
  std::filesystem::create_symlink(directory.File("foreign"), directory.File("link"));
  EXPECT_FALSE(CampaignState::Open(directory.File("link"), &campaign).ok());
}

TEST(CampaignState, ADamagedLineIsSaid) {
  const ScratchDirectory directory;
  const std::string path = directory.File("state");
  Campaign campaign = Sample();
  ASSERT_TRUE(CampaignState::Open(path, &campaign).ok());
  std::ofstream(path, std::ios::app) << "{\"outcome\":\"crashed\"}\n";
  EXPECT_THAT(std::string(CampaignState::Open(path, &campaign).status().message()), HasSubstr("is damaged"));
}

TEST(ReadCampaign, OfAStateAndOfAReport) {
  const ScratchDirectory directory;
  Campaign campaign = Sample();
  {
    absl::StatusOr<CampaignState> state = CampaignState::Open(directory.File("state"), &campaign);
    ASSERT_TRUE(state->Add(campaign, Tried(kOne, Outcome::kCrashed)).ok());
  }
  campaign.trials = {Tried(kOne, Outcome::kCrashed)};
  const std::string report = directory.Write("report", OomJson(campaign));
  for (const std::string& path : {directory.File("state"), report}) {
    const absl::StatusOr<Campaign> read = ReadCampaign(path);
    ASSERT_TRUE(read.ok()) << read.status();
    EXPECT_EQ(campaign.arguments, read->arguments);
    ASSERT_EQ(1u, read->trials.size());
    EXPECT_EQ(Outcome::kCrashed, read->trials[0].outcome);
  }
  const std::string whole = Contents(report);
  for (size_t size = 0; size + 2 < whole.size(); size += whole.size() / 50 + 1) {
    EXPECT_FALSE(ReadCampaign(directory.Write("cut", whole.substr(0, size))).ok()) << size;
  }
  EXPECT_FALSE(ReadCampaign(directory.Write("wrong", R"({"schema":"mallocspy-oom/1","program":1})")).ok());
  EXPECT_FALSE(ReadCampaign(directory.Write("wrong", R"({"schema":"mallocspy-oom/1","program":"p","arguments":["p"],"outcomes":[1]})")).ok());
  EXPECT_FALSE(ReadCampaign(directory.File("none")).ok());
}

}  // namespace
}  // namespace mallocspy
