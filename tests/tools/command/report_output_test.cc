#include "tools/command/report_output.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tools/verdict/assessment.h"

namespace mallocspy {

void PrintTo(const ReportOutput& output, std::ostream* out) { *out << NameOf(output.format) << ":" << output.path; }

namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const ReportOutput kTextToo = {Format::kText, ""};

// Each word is an option: "format=json" or "output=FILE".
absl::StatusOr<std::vector<ReportOutput>> Pair(const std::vector<std::string>& options) {
  OutputPairs pairs;
  for (const std::string& option : options) {
    const std::string value = option.substr(option.find('=') + 1);
    const absl::Status added = option[0] == 'f' ? pairs.AddFormat(value) : pairs.AddPath(value);
    if (!added.ok()) return added;
  }
  return pairs.Pair();
}

std::vector<ReportOutput> Good(const std::vector<std::string>& options) {
  const absl::StatusOr<std::vector<ReportOutput>> pairs = Pair(options);
  EXPECT_TRUE(pairs.ok()) << pairs.status();
  return pairs.ok() ? *pairs : std::vector<ReportOutput>();
}

std::string Bad(const std::vector<std::string>& options) { return std::string(Pair(options).status().message()); }

TEST(ReportOutput, WithoutOutputTheLastFormatGoesToTheDefaultPlace) {
  EXPECT_THAT(Good({}), ElementsAre(kTextToo));
  EXPECT_THAT(Good({"format=json"}), ElementsAre(ReportOutput{Format::kJson, ""}));
  EXPECT_THAT(Good({"format=json", "format=github"}), ElementsAre(ReportOutput{Format::kGithub, ""}));
}

TEST(ReportOutput, ASingleOutputTakesTheFormatFromBothSides) {
  EXPECT_THAT(Good({"output=o"}), ElementsAre(ReportOutput{Format::kText, "o"}));
  EXPECT_THAT(Good({"format=json", "output=o"}), ElementsAre(ReportOutput{Format::kJson, "o"}));
  EXPECT_THAT(Good({"output=o.txt", "format=json"}), ElementsAre(ReportOutput{Format::kJson, "o.txt"}));
}

TEST(ReportOutput, EachOutputTakesTheFormatBeforeIt) {
  EXPECT_THAT(Good({"format=junit", "output=a.xml", "format=sarif", "output=b.json", "output=c"}),
              ElementsAre(ReportOutput{Format::kJunit, "a.xml"}, ReportOutput{Format::kSarif, "b.json"},
                          ReportOutput{Format::kSarif, "c"}, kTextToo));
}

TEST(ReportOutput, WithoutAFormatTheNameOfTheFileTellsIt) {
  EXPECT_THAT(Good({"output=a.json"}), ElementsAre(ReportOutput{Format::kJson, "a.json"}));
  EXPECT_THAT(Good({"output=a.xml", "output=b.sarif", "output=c.sarif.json", "output=d.md", "output=e.log"}),
              ElementsAre(ReportOutput{Format::kJunit, "a.xml"}, ReportOutput{Format::kSarif, "b.sarif"},
                          ReportOutput{Format::kSarif, "c.sarif.json"}, ReportOutput{Format::kMarkdown, "d.md"},
                          ReportOutput{Format::kText, "e.log"}));
}

TEST(ReportOutput, TextIsNotMissedBesideFilesUnlessItWentElsewhere) {
  EXPECT_THAT(Good({"output=a.xml"}), ElementsAre(ReportOutput{Format::kJunit, "a.xml"}, kTextToo));
  EXPECT_THAT(Good({"output=a.json", "output=b.xml"}),
              ElementsAre(ReportOutput{Format::kJson, "a.json"}, ReportOutput{Format::kJunit, "b.xml"}, kTextToo));
  EXPECT_THAT(Good({"output=a.xml", "format=text", "output=/dev/null"}),
              ElementsAre(ReportOutput{Format::kJunit, "a.xml"}, ReportOutput{Format::kText, "/dev/null"}));
  EXPECT_THAT(Good({"format=junit", "output=-"}), ElementsAre(ReportOutput{Format::kJunit, "-"}));
  EXPECT_THAT(Good({"format=github"}), ElementsAre(ReportOutput{Format::kGithub, ""}));
}

TEST(ReportOutput, AFormatWithoutAnOutputAmongOthersIsRefused) {
  EXPECT_THAT(Bad({"format=junit", "output=a", "format=github"}),
              HasSubstr("--format=github has no --output behind it"));
  EXPECT_THAT(Bad({"output=a", "output=b", "format=json"}), HasSubstr("--format=json has no --output behind it"));
}

TEST(ReportOutput, TheSamePlaceTwiceIsRefused) {
  EXPECT_THAT(Bad({"output=a.xml", "output=a.xml"}), HasSubstr("--output=a.xml is given twice"));
  EXPECT_THAT(Bad({"output=a.xml", "output=./x/../a.xml"}), HasSubstr("is given twice"));
  EXPECT_THAT(Bad({"output=-", "output=/dev/stdout"}), HasSubstr("is given twice"));
}

TEST(ReportOutput, WordsThatAreNone) {
  EXPECT_THAT(Bad({"format=juint"}), HasSubstr("did you mean 'junit'?"));
  EXPECT_THAT(Bad({"output="}), HasSubstr("--output needs the name of a file"));
}

TEST(ReportOutput, ProgramsGetAllLeaksAndPeopleTheLargest) {
  for (const Format format : {Format::kJson, Format::kJunit, Format::kSarif}) EXPECT_EQ(MostLeaks(format), kAllLeaks);
  for (const Format format : {Format::kText, Format::kGithub, Format::kMarkdown}) EXPECT_EQ(MostLeaks(format), 20u);
}

}  // namespace
}  // namespace mallocspy
