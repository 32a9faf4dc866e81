// What lies in docs/monitoring/ against what the engine writes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <sstream>

#include "cli/generate.h"
#include "report/metrics.h"

namespace oxbackup {
namespace {

using ::testing::HasSubstr;

std::string Document(const std::string& name) {
  std::ifstream file(OPENEDX_BACKUP_FIXTURES "/../../docs/" + name);
  std::stringstream text;
  text << file.rdbuf();
  EXPECT_FALSE(text.str().empty()) << name;
  return text.str();
}

/// Every word of the text that is like a metric of ours.
std::set<std::string> MetricsNamedIn(const std::string& text) {
  static const std::regex kMetric("openedx_(?:backup|restore)_[a-z_]+");
  std::set<std::string> names;
  for (std::sregex_iterator at(text.begin(), text.end(), kMetric), end; at != end; ++at) {
    names.insert(at->str());
  }
  return names;
}

void ExpectKnown(const std::set<std::string>& names, const std::string& where) {
  EXPECT_FALSE(names.empty()) << where;
  for (const std::string& name : names) {
    EXPECT_NE(FindMetric(name), nullptr) << where << " has " << name << ", which nobody writes";
  }
}

nlohmann::json Dashboard() {
  return nlohmann::json::parse(Document("monitoring/grafana-dashboard.json"));
}

TEST(MonitoringDocumentTest, HoldsTheTableOfMetricsAsItIsNow) {
  EXPECT_THAT(Document("monitoring.md"),
              HasSubstr("compares them -->\n\n" + MetricsTable() + "\n<!-- end"))
      << "put the output of `openedx-backup generate metrics` between the two comments";
}

TEST(MonitoringDocumentTest, RulesAndDashboardNameMetricsThatThereAre) {
  for (const std::string name :
       {"alerts.yml", "alerts_standby.yml", "alerts_test.yml", "grafana-dashboard.json"}) {
    ExpectKnown(MetricsNamedIn(Document("monitoring/" + name)), name);
  }
  ExpectKnown(MetricsNamedIn(Document("monitoring.md")), "monitoring.md");
}

TEST(MonitoringDocumentTest, TheDashboardShowsEveryMetric) {
  const std::set<std::string> shown = MetricsNamedIn(Dashboard()["panels"].dump());
  for (const MetricDefinition& metric : MetricDefinitions()) {
    EXPECT_TRUE(shown.contains(std::string(metric.name))) << metric.name;
  }
}

TEST(MonitoringDocumentTest, TheDashboardsPanelsHaveWhatGrafanaWants) {
  std::set<int> ids;
  const nlohmann::json dashboard = Dashboard();
  for (const nlohmann::json& panel : dashboard["panels"]) {
    EXPECT_TRUE(ids.insert(panel["id"].get<int>()).second) << panel["id"];
    EXPECT_FALSE(panel["title"].get<std::string>().empty());
    const nlohmann::json& place = panel["gridPos"];
    EXPECT_LE(place["x"].get<int>() + place["w"].get<int>(), 24) << panel["title"];
    if (panel["type"] == "row") continue;
    EXPECT_EQ(panel["datasource"]["uid"], "${datasource}") << panel["title"];
    for (const nlohmann::json& target : panel["targets"]) {
      EXPECT_FALSE(target["expr"].get<std::string>().empty()) << panel["title"];
    }
  }
}

TEST(MonitoringDocumentTest, EveryAlertIsTested) {
  static const std::regex kAlert("- alert: ([A-Za-z]+)");
  const std::string rules =
      Document("monitoring/alerts.yml") + Document("monitoring/alerts_standby.yml");
  const std::string tests = Document("monitoring/alerts_test.yml");
  size_t count = 0;
  for (std::sregex_iterator at(rules.begin(), rules.end(), kAlert), end; at != end; ++at) {
    EXPECT_THAT(tests, HasSubstr("alertname: " + at->str(1) + "\n        exp_alerts:"));
    ++count;
  }
  EXPECT_GT(count, 10u);
}

}  // namespace
}  // namespace oxbackup
