#include "cli/list_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/error.h"
#include "base/text.h"

namespace oxbackup {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";
constexpr std::string_view kSigns = "[]{}\"'";

bool IsBlank(char c) { return kBlanks.find(c) != std::string_view::npos; }

// One text with a place in it where reading stands.
class ListReader {
 public:
  ListReader(std::string_view text, std::string_view origin) : text_(text), origin_(origin) {}

  std::vector<std::string> Read() {
    SkipBlanks();
    if (AtEnd()) return {};
    if (Peek() == '[') return ReadFlow();
    if (AtDash()) return ReadBlock();
    if (text_.find_first_of(kSigns) != std::string_view::npos) {
      Refuse("has quotes or brackets, but is no list in brackets");
    }
    return SplitNonEmpty(text_, " ,\t\r\n");
  }

 private:
  [[noreturn]] void Refuse(const std::string& what) const {
    throw Error(ErrorKind::kUsage, fmt::format("{} {}", origin_, what))
        .Hint(fmt::format("for example {0}='openedx notes' or {0}='[\"openedx\", \"notes\"]'",
                          origin_));
  }

  std::vector<std::string> ReadFlow() {
    std::vector<std::string> items;
    ++at_;
    while (true) {
      SkipBlanks();
      if (AtEnd()) Refuse("holds a list that does not end: there is no ']'");
      if (Peek() == ']') break;
      items.push_back(ReadItem(",]\n"));
      SkipBlanks();
      if (AtEnd()) Refuse("holds a list that does not end: there is no ']'");
      if (Peek() != ',' && Peek() != ']') Refuse("lacks a comma between two items of its list");
      if (Peek() == ',') ++at_;
    }
    ++at_;
    SkipBlanks();
    if (!AtEnd()) Refuse("goes on behind the ']' of its list");
    return items;
  }

  std::vector<std::string> ReadBlock() {
    std::vector<std::string> items;
    const size_t column = Column();
    while (!AtEnd()) {
      if (!AtDash() || Column() != column) Refuse("has a line that is no '- item' of its list");
      ++at_;
      while (!AtEnd() && (Peek() == ' ' || Peek() == '\t')) ++at_;
      items.push_back(ReadItem("\n"));
      const size_t line = text_.find('\n', at_);
      SkipBlanks();
      if (!AtEnd() && at_ < line) Refuse("has something behind an item of its list");
    }
    return items;
  }

  // An item in quotes, or up to any of `ends` or a comment.
  std::string ReadItem(std::string_view ends) {
    if (!AtEnd() && Peek() == '"') return ReadDoubleQuoted();
    if (!AtEnd() && Peek() == '\'') return ReadSingleQuoted();
    const size_t begin = at_;
    while (!AtEnd() && ends.find(Peek()) == std::string_view::npos && !AtComment()) ++at_;
    std::string_view item = text_.substr(begin, at_ - begin);
    while (!item.empty() && IsBlank(item.back())) item.remove_suffix(1);
    if (item.empty()) Refuse("has an empty item in its list");
    if (item.find_first_of(kSigns) != std::string_view::npos) {
      Refuse(fmt::format("has an item with quotes or brackets in it: {}", item));
    }
    return std::string(item);
  }

  std::string ReadDoubleQuoted() {
    size_t end = at_ + 1;
    while (end < text_.size() && text_[end] != '"') end += text_[end] == '\\' ? 2 : 1;
    if (end >= text_.size()) Refuse("holds a quote that does not end");
    const std::string_view quoted = text_.substr(at_, end + 1 - at_);
    at_ = end + 1;
    const auto item = nlohmann::json::parse(quoted, nullptr, /*allow_exceptions=*/false);
    if (!item.is_string()) Refuse(fmt::format("has an escape that is none of JSON: {}", quoted));
    return NotEmpty(item.get<std::string>());
  }

  std::string ReadSingleQuoted() {
    std::string item;
    for (++at_; !AtEnd(); ++at_) {
      if (Peek() == '\\') {
        // Python takes it for an escape, YAML for itself.
        Refuse("has a backslash in single quotes: use double ones, where it is written \\\\");
      }
      if (Peek() == '\'') {
        ++at_;
        if (AtEnd() || Peek() != '\'') return NotEmpty(std::move(item));
      }
      item += Peek();
    }
    Refuse("holds a quote that does not end");
  }

  std::string NotEmpty(std::string item) const {
    if (item.empty()) Refuse("has an empty item in its list");
    return item;
  }

  bool AtEnd() const { return at_ >= text_.size(); }
  char Peek() const { return text_[at_]; }
  bool AtDash() const {
    return Peek() == '-' && (at_ + 1 == text_.size() || IsBlank(text_[at_ + 1]));
  }
  bool AtComment() const { return Peek() == '#' && (at_ == 0 || IsBlank(text_[at_ - 1])); }
  // Of what comes next, in its line.
  size_t Column() const {
    const size_t line = text_.rfind('\n', at_);
    return line == std::string_view::npos ? at_ : at_ - line - 1;
  }
  void SkipBlanks() {
    while (!AtEnd() && (IsBlank(Peek()) || AtComment())) {
      at_ = AtComment() ? std::min(text_.find('\n', at_), text_.size()) : at_ + 1;
    }
  }

  const std::string_view text_;
  const std::string_view origin_;
  size_t at_ = 0;
};

}  // namespace

std::vector<std::string> ParseList(std::string_view text, std::string_view origin) {
  return ListReader(text, origin).Read();
}

}  // namespace oxbackup
