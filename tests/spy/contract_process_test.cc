// The clauses of the contract that need another process: reports of `mallocspy run`, spies that it loads, the libc
// door.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace mallocspy {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

struct Outcome {
  int status;             // as from `mallocspy run`
  nlohmann::json report;  // null if there is none
};

class ContractProcessTest : public testing::Test {
 protected:
  ContractProcessTest() {
    const std::string pattern = (std::filesystem::temp_directory_path() / "contract.XXXXXX").string();
    std::vector<char> name(pattern.c_str(), pattern.c_str() + pattern.size() + 1);
    directory_ = mkdtemp(name.data());
  }
  ~ContractProcessTest() override { std::filesystem::remove_all(directory_); }

  std::string Path(const std::string& name) const { return directory_ / name; }

  // `mallocspy run` with these arguments.
  Outcome Run(std::vector<std::string> arguments, const std::string& options = "") {
    const std::string report = Path("report.json");
    std::filesystem::remove(report);
    std::vector<std::string> words = {MALLOCSPY_COMMAND, "run", "--format=json", "--output=" + report};
    words.insert(words.end(), arguments.begin(), arguments.end());
    const pid_t child = fork();
    if (child == 0) {
      std::vector<char*> argv;
      for (std::string& word : words) argv.push_back(word.data());
      argv.push_back(nullptr);
      setenv("MALLOCSPY_OPTIONS", options.c_str(), 1);
      execv(argv[0], argv.data());
      _exit(127);
    }
    int status = -1;
    waitpid(child, &status, 0);
    Outcome outcome{WIFEXITED(status) ? WEXITSTATUS(status) : -1, nullptr};
    std::ifstream file(report);
    if (file) outcome.report = nlohmann::json::parse(file);
    return outcome;
  }

  Outcome RunScenario(const std::string& name, const std::string& options = "") {
    return Run({"--fail-on=none", "--", CONTRACT_PROGRAM, name}, options);
  }

  static std::vector<std::string> Errors(const Outcome& outcome) {
    std::vector<std::string> errors;
    for (const nlohmann::json& error : outcome.report.at("errors")) {
      std::string text = error.at("kind");
      if (error.at("detail").is_string()) text += ": " + error.at("detail").get<std::string>();
      errors.push_back(text);
    }
    return errors;
  }

  std::filesystem::path directory_;
};

TEST_F(ContractProcessTest, Contract_4_10_ABreachIsReportedAndTheProgramGoesOn) {
  const std::map<std::string, std::string> scenarios = {
      {"fewer-bytes", "spy-contract: PreAlloc returned fewer bytes than asked"},
      {"outside", "spy-contract: PostAlloc returned a pointer outside its block"},
      {"misaligned", "spy-contract: PostAlloc returned a pointer that breaks the alignment of 16 bytes"},
  };
  for (const auto& [scenario, error] : scenarios) {
    const Outcome outcome = RunScenario(scenario);
    EXPECT_EQ(0, outcome.status) << scenario;
    EXPECT_THAT(Errors(outcome), ElementsAre(error)) << scenario;
  }
  const Outcome clean = RunScenario("clean");
  EXPECT_EQ(0, clean.status);
  EXPECT_THAT(Errors(clean), IsEmpty());
}

TEST_F(ContractProcessTest, Contract_4_11_EveryDoorReachesALoadedSpy) {
  const std::string log = Path("log");
  const Outcome outcome =
      Run({"--fail-on=none", std::string("--spy=") + MALLOCSPY_TRACE_LIBRARY + ":format=json,file=" + log, "--",
           DOORS_PROGRAM});
  ASSERT_EQ(0, outcome.status);
  std::ifstream file(log);
  std::map<uint64_t, std::string> seen;  // size -> operation
  std::map<std::string, int> operations;
  int frees_of_seen = 0;
  std::map<std::string, bool> ours;
  for (std::string line; std::getline(file, line);) {
    const nlohmann::json event = nlohmann::json::parse(line);
    if (!event.contains("op")) continue;
    const std::string op = event["op"];
    ++operations[op];
    if (event.contains("bytes") && event["bytes"] > 100000 && event["bytes"] < 100100) {
      seen[event["bytes"]] = op;
      ours[event["result"]] = true;
      EXPECT_THAT(event["module"].get<std::string>(), HasSubstr("doors_program"));
    }
    if (op == "free" && ours[event["pointer"]]) ++frees_of_seen;
    if (op == "get_size") {
      EXPECT_EQ(100021, event["result"]);
    }
  }
  EXPECT_THAT(seen,
              ElementsAre(std::pair(100001, "alloc"), std::pair(100003, "alloc"), std::pair(100005, "alloc"),
                          std::pair(100007, "alloc"), std::pair(100009, "alloc"), std::pair(100011, "alloc"),
                          std::pair(100013, "alloc"), std::pair(100015, "alloc"), std::pair(100017, "realloc"),
                          std::pair(100019, "realloc"), std::pair(100021, "realloc"), std::pair(100032, "alloc")));
  EXPECT_GE(frees_of_seen, 9);
  EXPECT_EQ(1, operations["get_size"]);
  EXPECT_EQ(1, operations["minimize"]);
}

TEST_F(ContractProcessTest, Contract_4_11_WhoSeesMalloc) {
  EXPECT_EQ(0, RunScenario("com-sees-task-only").status) << "off for the program's own spy, as under COM";
  EXPECT_EQ(0, RunScenario("com-sees-all", "hook_malloc=1").status);
  EXPECT_EQ(0, RunScenario("added-sees-all").status);
  EXPECT_EQ(0, RunScenario("added-sees-task-only", "hook_malloc=0").status);
  EXPECT_EQ(0, RunScenario("calloc").status);
}

TEST_F(ContractProcessTest, Contract_4_11_OffForLoadedSpiesToo) {
  const std::string log = Path("log");
  const Outcome outcome =
      Run({"--fail-on=none", std::string("--spy=") + MALLOCSPY_TRACE_LIBRARY + ":file=" + log, "--", DOORS_PROGRAM},
          "hook_malloc=0");
  ASSERT_EQ(0, outcome.status);
  std::ifstream file(log);
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  EXPECT_THAT(text, HasSubstr("# 0 calls"));
}

TEST_F(ContractProcessTest, Contract_5_3_AFreeThroughAnotherDoorIsReported) {
  const Outcome freed = RunScenario("free-of-a-task-block");
  ASSERT_THAT(Errors(freed), ElementsAre("mismatched-free"));
  EXPECT_EQ("task", freed.report["errors"][0]["door"]);
  EXPECT_EQ("malloc", freed.report["errors"][0]["used_door"]);
  EXPECT_EQ(100001, freed.report["errors"][0]["size"]);
  const Outcome task_freed = RunScenario("task-free-of-a-new-block");
  ASSERT_THAT(Errors(task_freed), ElementsAre("mismatched-free"));
  EXPECT_EQ("new", task_freed.report["errors"][0]["door"]);
  EXPECT_EQ("task", task_freed.report["errors"][0]["used_door"]);
}

}  // namespace
}  // namespace mallocspy
