#include "mongodb/restore_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>

#include "base/error.h"

namespace oxbackup::mongodb {
namespace {

constexpr char kSetting[] = "MONGORESTORE_ADDITIONAL_OPTIONS";

std::vector<std::string> Words(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  bool in_word = false;
  char quote = '\0';
  for (const char c : text) {
    if (quote != '\0') {
      if (c == quote) {
        quote = '\0';
      } else {
        word += c;
      }
    } else if (c == '\'' || c == '"') {
      quote = c;
      in_word = true;
    } else if (c == ' ' || c == '\t' || c == '\n') {
      if (in_word) words.push_back(std::exchange(word, {}));
      in_word = false;
    } else {
      word += c;
      in_word = true;
    }
  }
  if (quote != '\0') {
    throw Error(ErrorKind::kUsage, fmt::format("{} has a quote that does not end", kSetting));
  }
  if (in_word) words.push_back(word);
  return words;
}

int PositiveNumber(const std::string& option, const std::string& value) {
  int number = 0;
  const char* const end = value.data() + value.size();
  if (std::from_chars(value.data(), end, number).ptr != end || number < 1) {
    throw Error(ErrorKind::kUsage,
                fmt::format("{} in {} wants a number above 0, not '{}'", option, kSetting, value));
  }
  return number;
}

bool ToBool(const std::string& option, const std::string& value) {
  if (value.empty() || value == "true") return true;
  if (value == "false") return false;
  throw Error(ErrorKind::kUsage,
              fmt::format("{} in {} takes true or false, not '{}'", option, kSetting, value));
}

// A piece of a pattern: fixed text, or what a wildcard or a variable stands for.
struct Piece {
  std::string text;
  bool variable = false;
};

std::vector<Piece> Parse(const std::string& pattern, const std::string& option) {
  std::vector<Piece> pieces;
  std::string fixed;
  int stars = 0;
  const auto add_variable = [&](std::string name) {
    if (!fixed.empty()) pieces.push_back({std::exchange(fixed, {}), false});
    pieces.push_back({std::move(name), true});
  };
  for (size_t at = 0; at < pattern.size(); ++at) {
    if (pattern[at] == '\\' && at + 1 < pattern.size()) {
      fixed += pattern[++at];
    } else if (pattern[at] == '*') {
      add_variable(fmt::format("*{}", stars++));
    } else if (pattern[at] == '$') {
      const size_t end = pattern.find('$', at + 1);
      if (end == std::string::npos || end == at + 1) {
        throw Error(
            ErrorKind::kUsage,
            fmt::format("the pattern '{}' of {} has a '$' without its other", pattern, option))
            .Hint("variables are written $name$; a '$' of a name is written \\$");
      }
      add_variable(pattern.substr(at + 1, end - at - 1));
      at = end;
    } else {
      fixed += pattern[at];
    }
  }
  if (!fixed.empty()) pieces.push_back({fixed, false});
  return pieces;
}

using Bindings = std::map<std::string, std::string>;

bool Match(const std::vector<Piece>& pieces, size_t piece, std::string_view text,
           Bindings& bindings) {
  if (piece == pieces.size()) return text.empty();
  const Piece& now = pieces[piece];
  if (!now.variable) {
    return text.starts_with(now.text) &&
           Match(pieces, piece + 1, text.substr(now.text.size()), bindings);
  }
  // As mongorestore: a variable takes as little as it can, a '*' as much.
  const bool greedy = now.text.starts_with('*');
  for (size_t step = 0; step <= text.size(); ++step) {
    const size_t taken = greedy ? text.size() - step : step;
    if (Match(pieces, piece + 1, text.substr(taken), bindings)) {
      bindings[now.text] = text.substr(0, taken);
      return true;
    }
  }
  return false;
}

bool MatchesPattern(const std::string& pattern, const std::string& ns) {
  Bindings bindings;
  return Match(Parse(pattern, "--nsInclude or --nsExclude"), 0, ns, bindings);
}

void CheckRename(const std::string& from, const std::string& to) {
  Bindings known;
  for (const Piece& piece : Parse(from, "--nsFrom")) {
    if (piece.variable) known[piece.text];
  }
  for (const Piece& piece : Parse(to, "--nsTo")) {
    if (piece.variable && !known.contains(piece.text)) {
      throw Error(ErrorKind::kUsage,
                  fmt::format("--nsTo '{}' uses more wildcards or other variables than --nsFrom "
                              "'{}'",
                              to, from));
    }
  }
}

struct Option {
  std::string name;
  std::string value;
  bool has_value = false;
};

Option Split(const std::string& word) {
  if (word.starts_with("--")) {
    const size_t equals = word.find('=');
    if (equals == std::string::npos) return {word, "", false};
    return {word.substr(0, equals), word.substr(equals + 1), true};
  }
  if (word.starts_with("-j") && word.size() > 2) {
    return {"-j", word.substr(word[2] == '=' ? 3 : 2), true};
  }
  return {word, "", false};
}

[[noreturn]] void ThrowUnknown(const std::string& name) {
  throw Error(ErrorKind::kUsage,
              fmt::format("{} holds '{}', which this restore does not know", kSetting, name))
      .Hint(
          "understood are -j, --numParallelCollections, --numInsertionWorkersPerCollection, "
          "--nsInclude, --nsExclude, --nsFrom, --nsTo, --noIndexRestore, "
          "--bypassDocumentValidation and --writeConcern");
}

}  // namespace

RestoreOptions ParseMongorestoreOptions(std::string_view text) {
  RestoreOptions options;
  std::vector<std::string> from;
  std::vector<std::string> to;
  int parallel = options.workers;
  int per_collection = 1;
  const std::vector<std::string> words = Words(text);
  for (size_t at = 0; at < words.size(); ++at) {
    Option option = Split(words[at]);
    const auto value = [&]() -> const std::string& {
      if (!option.has_value) {
        if (++at == words.size()) {
          throw Error(ErrorKind::kUsage,
                      fmt::format("{} in {} lacks its value", option.name, kSetting));
        }
        option.value = words[at];
        option.has_value = true;
      }
      return option.value;
    };
    if (option.name == "-j" || option.name == "--numParallelCollections") {
      parallel = PositiveNumber(option.name, value());
    } else if (option.name == "--numInsertionWorkersPerCollection") {
      per_collection = PositiveNumber(option.name, value());
    } else if (option.name == "--nsInclude") {
      options.ns_include.push_back(value());
    } else if (option.name == "--nsExclude") {
      options.ns_exclude.push_back(value());
    } else if (option.name == "--nsFrom") {
      from.push_back(value());
    } else if (option.name == "--nsTo") {
      to.push_back(value());
    } else if (option.name == "--noIndexRestore") {
      options.no_index_restore = ToBool(option.name, option.value);
    } else if (option.name == "--bypassDocumentValidation") {
      static_cast<void>(ToBool(option.name, option.value));
    } else if (option.name == "--writeConcern") {
      options.write_concern = value();
    } else {
      ThrowUnknown(option.name);
    }
  }
  // All workers load whatever comes next, several of them one collection too.
  options.workers = std::max(parallel, per_collection);
  if (from.size() != to.size()) {
    throw Error(ErrorKind::kUsage,
                fmt::format("{} has {} --nsFrom but {} --nsTo", kSetting, from.size(), to.size()));
  }
  for (size_t at = 0; at < from.size(); ++at) options.ns_rename.emplace_back(from[at], to[at]);
  static_cast<void>(NamespaceFilter(options));
  return options;
}

NamespaceFilter::NamespaceFilter(const RestoreOptions& options)
    : databases_(options.databases),
      include_(options.ns_include),
      exclude_(options.ns_exclude),
      rename_(options.ns_rename) {
  for (const auto& [from, to] : rename_) CheckRename(from, to);
  for (const std::string& pattern : include_) Parse(pattern, "--nsInclude");
  for (const std::string& pattern : exclude_) Parse(pattern, "--nsExclude");
}

bool NamespaceFilter::Includes(const std::string& database, const std::string& collection) const {
  if (!databases_.empty() &&
      std::find(databases_.begin(), databases_.end(), database) == databases_.end()) {
    return false;
  }
  const std::string ns = database + "." + collection;
  const auto matches = [&](const std::string& pattern) { return MatchesPattern(pattern, ns); };
  if (!include_.empty() && std::none_of(include_.begin(), include_.end(), matches)) return false;
  return std::none_of(exclude_.begin(), exclude_.end(), matches);
}

std::pair<std::string, std::string> NamespaceFilter::Target(const std::string& database,
                                                            const std::string& collection) const {
  const std::string ns = database + "." + collection;
  for (const auto& [from, to] : rename_) {
    Bindings bindings;
    if (!Match(Parse(from, "--nsFrom"), 0, ns, bindings)) continue;
    std::string target;
    for (const Piece& piece : Parse(to, "--nsTo")) {
      target += piece.variable ? bindings[piece.text] : piece.text;
    }
    const size_t dot = target.find('.');
    if (dot == std::string::npos || dot == 0 || dot + 1 == target.size()) {
      throw Error(ErrorKind::kUsage,
                  fmt::format("--nsTo '{}' makes '{}' of '{}', which is no database.collection", to,
                              target, ns));
    }
    return {target.substr(0, dot), target.substr(dot + 1)};
  }
  return {database, collection};
}

}  // namespace oxbackup::mongodb
