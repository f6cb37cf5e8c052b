#include "tools/command/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tools/verdict/assessment.h"

namespace mallocspy {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Settings Parse(Command command, const std::vector<std::string>& arguments) {
  const absl::StatusOr<Settings> settings = ParseSettings(command, arguments);
  EXPECT_TRUE(settings.ok()) << settings.status();
  return settings.ok() ? *settings : Settings();
}

std::string ErrorOf(Command command, const std::vector<std::string>& arguments) {
  const absl::StatusOr<Settings> settings = ParseSettings(command, arguments);
  return settings.ok() ? "no error" : std::string(settings.status().message());
}

TEST(Settings, Defaults) {
  const Settings settings = Parse(Command::kRun, {"prog"});
  EXPECT_THAT(settings.outputs, ElementsAre(ReportOutput{Format::kText, ""}));
  EXPECT_TRUE(settings.follow);
  EXPECT_TRUE(settings.fail_on.errors());
  EXPECT_TRUE(settings.fail_on.Includes(LeakClass::kDefinite));
  EXPECT_EQ(settings.most_leaks(), 20u);
  EXPECT_THAT(settings.arguments, ElementsAre("prog"));
}

TEST(Settings, AllOptions) {
  const Settings settings =
      Parse(Command::kRun, {"--format=json", "--output", "o.json", "--fail-on=any", "--top=3", "--spy=a.so:x=1",
                            "--spy=trace", "--follow=none", "--keep=k.%p.mspy", "--", "prog", "--format=text", "--"});
  EXPECT_THAT(settings.outputs, ElementsAre(ReportOutput{Format::kJson, "o.json"}));
  EXPECT_TRUE(settings.fail_on.Includes(LeakClass::kUnknown));
  EXPECT_EQ(settings.most_leaks(), 3u);
  EXPECT_THAT(settings.spies, ElementsAre("a.so:x=1", "trace"));
  EXPECT_FALSE(settings.follow);
  EXPECT_EQ(settings.keep, "k.%p.mspy");
  EXPECT_THAT(settings.arguments, ElementsAre("prog", "--format=text", "--"));
}

TEST(Settings, OptionsOfRunEndAtTheProgram) {
  const Settings settings = Parse(Command::kRun, {"--top=1", "prog", "--top=2", "-x"});
  EXPECT_EQ(settings.most_leaks(), 1u);
  EXPECT_THAT(settings.arguments, ElementsAre("prog", "--top=2", "-x"));
}

TEST(Settings, NamesMustBeWhole) {
  for (const char* const given : {"--forma=json", "--forma", "--f", "--hel", "--hel=x", "--keep-=x"}) {
    const std::string name = std::string(given).substr(0, std::string(given).find('='));
    const std::string error = ErrorOf(Command::kRun, {given, "json", "prog"});
    EXPECT_THAT(error, HasSubstr("there is no option '" + name + "'")) << given;
  }
  EXPECT_THAT(ErrorOf(Command::kRun, {"--forma=json", "prog"}), HasSubstr("did you mean '--format'?"));
  EXPECT_THAT(ErrorOf(Command::kReport, {"a.mspy", "--to", "3"}), HasSubstr("did you mean '--top'?"));
  EXPECT_THAT(ErrorOf(Command::kReport, {"--to"}), HasSubstr("there is no option '--to'"));
  EXPECT_EQ(Parse(Command::kReport, {"a.mspy", "--top", "3", "b.mspy"}).most_leaks(), 3u);
  EXPECT_EQ(Parse(Command::kRun, {"--output", "--output", "prog"}).outputs[0].path, "--output");
}

TEST(Settings, OptionsOfReportMayFollowTheFiles) {
  const Settings settings = Parse(Command::kReport, {"a.mspy", "--format=json", "b.mspy"});
  EXPECT_THAT(settings.arguments, ElementsAre("a.mspy", "b.mspy"));
  EXPECT_EQ(settings.most_leaks(), kAllLeaks);
}

TEST(Settings, TheLongestOutputTellsHowManyLeaksAreNamed) {
  const Settings settings = Parse(Command::kRun, {"--output=a.xml", "prog"});
  EXPECT_EQ(settings.most_leaks(Format::kText), 20u);
  EXPECT_EQ(settings.most_leaks(), kAllLeaks);
  EXPECT_EQ(Parse(Command::kRun, {"--output=a.xml", "--top=3", "prog"}).most_leaks(), 3u);
  EXPECT_EQ(Parse(Command::kRun, {"--format=markdown", "prog"}).most_leaks(), 20u);
}

TEST(Settings, UnknownOptionsGetTheNearest) {
  EXPECT_THAT(ErrorOf(Command::kRun, {"--fromat=json", "prog"}),
              HasSubstr("no option '--fromat' (did you mean '--format'?)"));
  EXPECT_THAT(ErrorOf(Command::kRun, {"-x", "prog"}), HasSubstr("no option '-x'"));
  EXPECT_THAT(ErrorOf(Command::kRun, {"--top=1", "-xyz", "prog"}), HasSubstr("no option '-xyz'"));
  EXPECT_THAT(ErrorOf(Command::kReport, {"--spy=x", "f"}), HasSubstr("--spy belongs to 'mallocspy run'"));
  EXPECT_THAT(ErrorOf(Command::kRun, {"--suppression=x", "prog"}), HasSubstr("did you mean '--suppressions'?"));
}

TEST(Settings, WhatIsAccepted) {
  const Settings settings = Parse(Command::kRun, {"--suppressions=a", "--suppressions", "b", "--baseline=old.json",
                                                  "--strict-suppressions", "--no-builtin-suppressions", "prog"});
  EXPECT_THAT(settings.suppressions, ElementsAre("a", "b"));
  EXPECT_EQ(settings.baseline, "old.json");
  EXPECT_TRUE(settings.strict_suppressions);
  EXPECT_FALSE(settings.builtin_suppressions);
  EXPECT_FALSE(settings.write_suppressions.has_value());
  EXPECT_EQ(Parse(Command::kRun, {"--write-suppressions=x.supp", "prog"}).write_suppressions, "x.supp");
  const Settings alone = Parse(Command::kRun, {"--write-suppressions", "prog"});
  EXPECT_EQ(alone.write_suppressions, "");
  EXPECT_THAT(alone.arguments, ElementsAre("prog"));
  EXPECT_THAT(ErrorOf(Command::kRun, {"--suppressions=", "prog"}), HasSubstr("--suppressions needs the name of a file"));
  EXPECT_THAT(ErrorOf(Command::kRun, {"--baseline=a", "--baseline=b", "prog"}), HasSubstr("--baseline is given twice"));
}

TEST(Settings, BadValuesSayWhatIsPossible) {
  EXPECT_THAT(ErrorOf(Command::kRun, {"--format=jsn"}), HasSubstr("did you mean 'json'?"));
  EXPECT_THAT(ErrorOf(Command::kRun, {"--format=html"}), HasSubstr("needs --output=FILE"));
  EXPECT_EQ(ErrorOf(Command::kReport, {"--format=html"}), "no error");
  EXPECT_THAT(ErrorOf(Command::kRun, {"--follow=no"}), HasSubstr("is not one of all, none"));
  EXPECT_THAT(ErrorOf(Command::kRun, {"--on-error=crash"}), HasSubstr("is not one of continue, abort, stop"));
  EXPECT_THAT(ErrorOf(Command::kRun, {"--top=few"}), HasSubstr("'few' is not a number"));
  EXPECT_THAT(ErrorOf(Command::kRun, {"--top=-1"}), HasSubstr("'-1' is not a number"));
  EXPECT_THAT(ErrorOf(Command::kRun, {"--fail-on=leaks"}), HasSubstr("--fail-on: 'leaks' is not one of"));
  EXPECT_THAT(ErrorOf(Command::kRun, {"--output="}), HasSubstr("--output needs the name of a file"));
  EXPECT_THAT(ErrorOf(Command::kRun, {"--output"}), HasSubstr("--output needs a value: --output=FILE"));
  EXPECT_THAT(ErrorOf(Command::kRun, {"--help=me"}), HasSubstr("--help takes no value"));
}

TEST(Settings, Help) {
  EXPECT_TRUE(Parse(Command::kRun, {"--help"}).help);
  EXPECT_TRUE(Parse(Command::kReport, {"-h"}).help);
  EXPECT_FALSE(Parse(Command::kRun, {"prog", "--help"}).help);
}

}  // namespace
}  // namespace mallocspy
