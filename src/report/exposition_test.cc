#include "report/exposition.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "report/run_summary_testing.h"

namespace oxbackup {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const MetricSample kStatus{.name = "openedx_backup_last_run_status", .value = 3};

std::string Merged(std::string_view text, const std::vector<MetricSample>& samples,
                   const MetricLabels& labels = {}) {
  size_t lost = 0;
  std::string merged = MergeExposition(text, samples, labels, lost);
  EXPECT_EQ(lost, 0u);
  return merged;
}

TEST(ExpositionTest, ASampleComesBehindItsHelpAndType) {
  EXPECT_EQ(ExpositionText({kStatus}, {}),
            "# HELP openedx_backup_last_run_status Exit status of the last backup: 0 complete, 3 "
            "with warnings, anything else failed.\n"
            "# TYPE openedx_backup_last_run_status gauge\n"
            "openedx_backup_last_run_status 3\n");
}

TEST(ExpositionTest, LabelsAreSortedAndEscaped) {
  const MetricSample sample{
      .name = "openedx_backup_rows", .labels = {{"component", "mysql"}}, .value = 1'911'402};
  EXPECT_THAT(ExpositionText({sample}, {{"a", "back\\slash"}, {"site", "\"x\"\nü"}}),
              HasSubstr("\nopenedx_backup_rows{a=\"back\\\\slash\",component=\"mysql\",site=\""
                        "\\\"x\\\"\\nü\"} 1911402\n"));
}

TEST(ExpositionTest, WholeNumbersStayWholeAndTimesHaveMilliseconds) {
  const auto value = [](double number) {
    const std::string text =
        ExpositionText({{.name = "openedx_backup_skew_seconds", .value = number}}, {});
    return text.substr(text.rfind(' ') + 1);
  };
  EXPECT_EQ(value(0), "0\n");
  EXPECT_EQ(value(1'795'659'634.5), "1795659634.500\n");
  EXPECT_EQ(value(9'007'199'254'740'991), "9007199254740991\n");
  EXPECT_EQ(value(0.25), "0.250\n");
}

TEST(ExpositionTest, SamplesOfOneMetricStandTogether) {
  const std::string text = ExpositionText(MetricsOf(SuccessfulBackup()), {});
  const size_t type = text.find("# TYPE openedx_backup_size_bytes gauge\n");
  ASSERT_NE(type, std::string::npos);
  EXPECT_EQ(text.find("# TYPE openedx_backup_size_bytes", type + 1), std::string::npos);
  const std::string block = text.substr(type, text.find("# HELP", type) - type);
  EXPECT_THAT(block, HasSubstr("{component=\"mysql\",kind=\"raw\"} 3000\n"));
  EXPECT_THAT(block, HasSubstr("{component=\"archive\",kind=\"stored\"} 1000\n"));
}

TEST(MergeTest, AFailedRunKeepsTheLastSuccess) {
  const std::string before = ExpositionText(MetricsOf(SuccessfulBackup()), {});
  const std::string after = Merged(before, MetricsOf(FailedBackup()));
  EXPECT_THAT(after, HasSubstr("\nopenedx_backup_last_success_timestamp_seconds 1795659634.500\n"));
  EXPECT_THAT(after, HasSubstr("\nopenedx_backup_last_run_status 1\n"));
  EXPECT_THAT(after, Not(HasSubstr("\nopenedx_backup_last_run_status 0\n")));
  EXPECT_THAT(after, HasSubstr("{component=\"mysql\",kind=\"raw\"} 3000\n"));
}

TEST(MergeTest, WhatAnotherCommandWroteStays) {
  const std::string before = ExpositionText(MetricsOf(SuccessfulRestore()), {});
  const std::string after = Merged(before, MetricsOf(SuccessfulBackup()));
  EXPECT_TRUE(after.starts_with(before));
}

TEST(MergeTest, AComponentThatIsNoLongerThereIsForgotten) {
  RunSummary run = SuccessfulBackup();
  const std::string before = ExpositionText(MetricsOf(run), {});
  run.facts.components.pop_back();
  const std::string after = Merged(before, MetricsOf(run));
  EXPECT_THAT(before, HasSubstr("mongodb"));
  EXPECT_THAT(after, Not(HasSubstr("mongodb")));
}

TEST(MergeTest, ARunWithOtherLabelsIsAnotherSites) {
  const MetricLabels campus = {{"site", "campus"}};
  const MetricLabels school = {{"site", "school, \"x\""}};
  std::string text = ExpositionText({kStatus}, campus);
  text = Merged(text, {{.name = kStatus.name, .value = 1}}, school);
  text = Merged(text, {{.name = kStatus.name, .value = 5}});
  text = Merged(text, {{.name = kStatus.name, .value = 4}}, school);
  EXPECT_THAT(text, HasSubstr("{site=\"campus\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("{site=\"school, \\\"x\\\"\"} 4\n"));
  EXPECT_THAT(text, HasSubstr("\nopenedx_backup_last_run_status 5\n"));
  EXPECT_THAT(text, Not(HasSubstr("} 1\n")));
}

TEST(MergeTest, WhatOtherProgramsWroteStays) {
  const std::string foreign =
      "# HELP node_x What it is.\n# TYPE node_x counter\nnode_x{a=\"}\",b=\"\"} 1e+09 "
      "1395066363000\n"
      "node_y +Inf\n";
  EXPECT_TRUE(Merged(foreign, {kStatus}).starts_with(foreign));
}

TEST(MergeTest, LinesThatAreNoMetricsAreLeftOutAndCounted) {
  size_t lost = 0;
  const std::string text = MergeExposition(
      "half a{line\nnode_x\nnode_y{a=\"b} 1\n{} 2\nnode_z 3\n# a remark\n", {kStatus}, {}, lost);
  EXPECT_EQ(lost, 4u);
  EXPECT_TRUE(text.starts_with("node_z 3\n# HELP")) << text;
}

}  // namespace
}  // namespace oxbackup
