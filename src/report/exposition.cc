#include "report/exposition.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <optional>

#include "base/text.h"

namespace oxbackup {
namespace {

// A metric with its comments and samples as they stand in a file.
struct Family {
  std::string name;
  std::string comments;                                       // whole lines
  std::vector<std::pair<MetricLabels, std::string>> samples;  // sorted labels, whole line
};

struct SampleLine {
  std::string name;
  MetricLabels labels;
};

std::string Escaped(std::string_view text, bool quotes) {
  std::string out;
  for (const char c : text) {
    if (c == '\\') {
      out += "\\\\";
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '"' && quotes) {
      out += "\\\"";
    } else {
      out += c;
    }
  }
  return out;
}

std::string ValueText(double value) {
  constexpr double kLargestWhole = 9007199254740992;  // 2^53: below it all whole numbers are exact
  if (value == std::floor(value) && std::abs(value) <= kLargestWhole) {
    return fmt::format("{:.0f}", value);
  }
  return fmt::format("{:.3f}", value);
}

std::string LabelsText(const MetricLabels& labels) {
  std::string out;
  for (const auto& [name, value] : labels) {
    out += fmt::format("{}{}=\"{}\"", out.empty() ? "{" : ",", name, Escaped(value, true));
  }
  return out.empty() ? out : out + "}";
}

// Reads one line from its front on.
class LineReader {
 public:
  explicit LineReader(std::string_view line) : rest_(line) {}

  std::optional<SampleLine> Read() {
    SampleLine line{.name = std::string(TakeName()), .labels = {}};
    if (line.name.empty()) return std::nullopt;
    if (Take('{')) {
      while (!Take('}')) {
        std::string name(TakeName());
        std::optional<std::string> value;
        if (!name.empty() && Take('=')) value = TakeQuoted();
        if (!value) return std::nullopt;
        line.labels.emplace_back(std::move(name), std::move(*value));
        if (!Take(',') && !rest_.starts_with('}')) return std::nullopt;
      }
    }
    if (!EndsWithNumber()) return std::nullopt;
    std::ranges::sort(line.labels);
    return line;
  }

 private:
  // A value and perhaps a time behind it.
  bool EndsWithNumber() const {
    const std::vector<std::string> words = SplitNonEmpty(rest_, " \t");
    return !words.empty() && words.size() <= 2 && std::ranges::all_of(words, IsNumber);
  }

  static bool IsNumber(const std::string& word) {
    char* end = nullptr;
    std::strtod(word.c_str(), &end);
    return *end == '\0';
  }

  bool Take(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }

  std::string_view TakeName() {
    const auto ends = [](char c) { return c == '{' || c == '=' || c == ' ' || c == '\t'; };
    const size_t size = static_cast<size_t>(std::ranges::find_if(rest_, ends) - rest_.begin());
    const std::string_view name = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return name;
  }

  std::optional<std::string> TakeQuoted() {
    if (!Take('"')) return std::nullopt;
    std::string text;
    while (!rest_.empty()) {
      char c = rest_.front();
      rest_.remove_prefix(1);
      if (c == '"') return text;
      if (c == '\\' && !rest_.empty()) {
        c = rest_.front() == 'n' ? '\n' : rest_.front();
        rest_.remove_prefix(1);
      }
      text += c;
    }
    return std::nullopt;
  }

  std::string_view rest_;
};

class Families {
 public:
  Family& Of(std::string_view name) {
    const auto found = std::ranges::find(families_, name, &Family::name);
    if (found != families_.end()) return *found;
    families_.push_back({.name = std::string(name), .comments = {}, .samples = {}});
    return families_.back();
  }

  // Returns whether the line was understood.
  bool AddLine(const std::string& line) {
    if (line.starts_with("#")) {
      const std::vector<std::string> words = SplitNonEmpty(line, " \t");
      if (words.size() < 3 || (words[1] != "HELP" && words[1] != "TYPE")) return true;
      Of(words[2]).comments += line + "\n";
      return true;
    }
    std::optional<SampleLine> sample = LineReader(line).Read();
    if (!sample) return false;
    Of(sample->name).samples.emplace_back(std::move(sample->labels), line + "\n");
    return true;
  }

  std::string Text() const {
    std::string out;
    for (const Family& family : families_) {
      if (family.samples.empty()) continue;
      out += family.comments;
      for (const auto& [labels, line] : family.samples) out += line;
    }
    return out;
  }

 private:
  std::vector<Family> families_;
};

std::string CommentsOf(const MetricDefinition& metric) {
  return fmt::format("# HELP {0} {1}\n# TYPE {0} gauge\n", metric.name,
                     Escaped(metric.help, false));
}

// Without the metric's own: those that tell whose sample it is.
MetricLabels OwnersLabels(const MetricDefinition& metric, MetricLabels labels) {
  const std::vector<std::string> own = SplitNonEmpty(metric.labels, ",");
  std::erase_if(
      labels, [&](const auto& label) { return std::ranges::find(own, label.first) != own.end(); });
  return labels;
}

}  // namespace

std::string MergeExposition(std::string_view text, const std::vector<MetricSample>& samples,
                            const MetricLabels& labels, size_t& lost) {
  Families families;
  for (const std::string& line : SplitNonEmpty(text, "\r\n")) {
    if (!families.AddLine(line)) ++lost;
  }
  for (const MetricSample& sample : samples) {
    const MetricDefinition& metric = *FindMetric(sample.name);
    Family& family = families.Of(metric.name);
    family.comments = CommentsOf(metric);
    std::erase_if(family.samples,
                  [&](const auto& other) { return OwnersLabels(metric, other.first) == labels; });
  }
  for (const MetricSample& sample : samples) {
    MetricLabels all = sample.labels;
    all.insert(all.end(), labels.begin(), labels.end());
    std::ranges::sort(all);
    std::string line =
        fmt::format("{}{} {}\n", sample.name, LabelsText(all), ValueText(sample.value));
    families.Of(sample.name).samples.emplace_back(std::move(all), std::move(line));
  }
  return families.Text();
}

std::string ExpositionText(const std::vector<MetricSample>& samples, const MetricLabels& labels) {
  size_t lost = 0;
  return MergeExposition("", samples, labels, lost);
}

}  // namespace oxbackup
