#include "report/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "base/text.h"
#include "report/run_summary_testing.h"

namespace oxbackup {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

std::set<std::string> Names(const std::vector<MetricSample>& samples) {
  std::set<std::string> names;
  for (const MetricSample& sample : samples) names.emplace(sample.name);
  return names;
}

double ValueOf(const std::vector<MetricSample>& samples, std::string_view name,
               const MetricLabels& labels = {}) {
  for (const MetricSample& sample : samples) {
    if (sample.name == name && sample.labels == labels) return sample.value;
  }
  ADD_FAILURE() << "no sample of " << name;
  return -1;
}

RunSummary RunOf(const std::string& command, int exit_status) {
  RunSummary run = SuccessfulBackup();
  run.command = command;
  run.exit_status = exit_status;
  run.facts = {};
  return run;
}

constexpr double kFinished = 1'795'659'634.5;  // 2026-11-26T02:20:34.5Z

TEST(MetricsTest, ABackupTellsTimesSizesAndRows) {
  const std::vector<MetricSample> samples = MetricsOf(SuccessfulBackup());
  EXPECT_EQ(ValueOf(samples, "openedx_backup_last_success_timestamp_seconds"), kFinished);
  EXPECT_EQ(ValueOf(samples, "openedx_backup_last_run_timestamp_seconds"), kFinished);
  EXPECT_EQ(ValueOf(samples, "openedx_backup_last_run_status"), 0);
  EXPECT_EQ(ValueOf(samples, "openedx_backup_warnings"), 0);
  EXPECT_EQ(ValueOf(samples, "openedx_backup_duration_seconds", {{"phase", "copy"}}), 1200);
  EXPECT_EQ(ValueOf(samples, "openedx_backup_duration_seconds", {{"phase", "read_back"}}), 34.5);
  EXPECT_EQ(
      ValueOf(samples, "openedx_backup_size_bytes", {{"component", "mysql"}, {"kind", "raw"}}),
      3000);
  EXPECT_EQ(
      ValueOf(samples, "openedx_backup_size_bytes", {{"component", "archive"}, {"kind", "stored"}}),
      1000);
  EXPECT_EQ(ValueOf(samples, "openedx_backup_rows", {{"component", "mongodb"}}), 20);
  EXPECT_EQ(ValueOf(samples, "openedx_backup_skew_seconds"), 0.25);
}

TEST(MetricsTest, AFailedRunSaysNothingOfTheLastSuccess) {
  const std::set<std::string> names = Names(MetricsOf(FailedBackup()));
  EXPECT_EQ(names,
            (std::set<std::string>{"openedx_backup_last_run_timestamp_seconds",
                                   "openedx_backup_last_run_status", "openedx_backup_warnings"}));
  EXPECT_EQ(ValueOf(MetricsOf(FailedBackup()), "openedx_backup_last_run_status"), 1);
}

TEST(MetricsTest, WarningsAreASuccessWithAStatusOfItsOwn) {
  RunSummary run = SuccessfulBackup();
  run.exit_status = 3;
  run.warnings = {"one", "two"};
  const std::vector<MetricSample> samples = MetricsOf(run);
  EXPECT_EQ(ValueOf(samples, "openedx_backup_last_success_timestamp_seconds"), kFinished);
  EXPECT_EQ(ValueOf(samples, "openedx_backup_last_run_status"), 3);
  EXPECT_EQ(ValueOf(samples, "openedx_backup_warnings"), 2);
}

TEST(MetricsTest, ARestoreTellsHowOldItsDataAre) {
  const std::vector<MetricSample> samples = MetricsOf(SuccessfulRestore());
  EXPECT_EQ(ValueOf(samples, "openedx_restore_applied_backup_timestamp_seconds"), 1'795'572'000);
  EXPECT_EQ(ValueOf(samples, "openedx_restore_duration_seconds"), 1234.5);
  EXPECT_EQ(ValueOf(samples, "openedx_restore_swap_seconds"), 1.5);
}

TEST(MetricsTest, ARestoreThatHadNothingToDoKeepsTheTimesOfTheOneBefore) {
  RunSummary run = SuccessfulRestore();
  run.facts.skipped = true;
  run.facts.swap.reset();
  const std::set<std::string> names = Names(MetricsOf(run));
  EXPECT_TRUE(names.contains("openedx_restore_last_success_timestamp_seconds"));
  EXPECT_TRUE(names.contains("openedx_restore_applied_backup_timestamp_seconds"));
  EXPECT_FALSE(names.contains("openedx_restore_duration_seconds"));
  EXPECT_FALSE(names.contains("openedx_restore_swap_seconds"));
}

TEST(MetricsTest, TheRetainedArchivesAreToldByWhoeverCountedThem) {
  RunSummary run = RunOf("prune", 0);
  run.facts.retained_archives = 7;
  EXPECT_EQ(ValueOf(MetricsOf(run), "openedx_backup_retained_archives"), 7);
  run = RunOf("list", 3);
  run.facts.retained_archives = 0;
  EXPECT_EQ(ValueOf(MetricsOf(run), "openedx_backup_retained_archives"), 0);
  EXPECT_THAT(MetricsOf(RunOf("list", 0)), IsEmpty());
}

TEST(MetricsTest, EveryMetricIsWrittenBySomeRunAndEverySampleIsAMetric) {
  std::set<std::string> written;
  RunSummary prune = RunOf("prune", 0);
  prune.facts.retained_archives = 1;
  for (const RunSummary& run :
       {SuccessfulBackup(), SuccessfulRestore(), RunOf("verify", 0), prune}) {
    for (const MetricSample& sample : MetricsOf(run)) {
      const MetricDefinition* const metric = FindMetric(sample.name);
      ASSERT_NE(metric, nullptr) << sample.name;
      EXPECT_THAT(metric->commands, HasSubstr(run.command)) << sample.name;
      std::vector<std::string> labels;
      for (const auto& [name, value] : sample.labels) labels.push_back(name);
      EXPECT_EQ(labels, SplitNonEmpty(metric->labels, ",")) << sample.name;
      written.emplace(sample.name);
    }
  }
  for (const MetricDefinition& metric : MetricDefinitions()) {
    EXPECT_TRUE(written.contains(std::string(metric.name))) << metric.name;
    EXPECT_THAT(metric.name, Not(HasSubstr("_total"))) << "a gauge";
  }
}

TEST(MetricLabelsTest, AreSortedAndMayHoldAnything) {
  const MetricLabels labels =
      ParseMetricLabels({"site=campus=1", "env=a \"b\"\n"}, "METRICS_LABELS");
  EXPECT_EQ(labels, (MetricLabels{{"env", "a \"b\"\n"}, {"site", "campus=1"}}));
}

TEST(MetricLabelsTest, ImpossibleOnesAreRefusedByTheNameOfTheSetting) {
  for (const std::vector<std::string>& texts :
       std::vector<std::vector<std::string>>{{"site"},
                                             {"=x"},
                                             {"site="},
                                             {"my-site=x"},
                                             {"1st=x"},
                                             {"__name__=x"},
                                             {"job=x"},
                                             {"command=x"},
                                             {"component=x"},
                                             {"kind=x"},
                                             {"phase=x"},
                                             {"site=a", "site=b"}}) {
    try {
      ParseMetricLabels(texts, "--metrics-label");
      ADD_FAILURE() << texts.front();
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kUsage);
      EXPECT_THAT(error.what(), HasSubstr("--metrics-label: '")) << texts.front();
    }
  }
}

}  // namespace
}  // namespace oxbackup
