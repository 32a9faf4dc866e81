#include "mysql/json_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>

namespace oxbackup::mysql {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// A number's digits from the first to the last that is not 0, and where the point stands before
// the first of them: 0.0012 is {"12", -2}, 1200 is {"12", 4}, zero {"", 0}.
struct Significant {
  std::string digits;
  int point = 0;

  friend bool operator==(const Significant&, const Significant&) = default;
};

Significant SignificantOf(std::string_view number) {
  Significant result;
  bool after_point = false;
  int exponent = 0;
  for (size_t i = 0; i < number.size(); ++i) {
    const char c = number[i];
    if (c == 'e' || c == 'E') {
      const bool signed_by_plus = i + 1 < number.size() && number[i + 1] == '+';
      const std::string_view rest = number.substr(i + (signed_by_plus ? 2 : 1));
      std::from_chars(rest.data(), rest.data() + rest.size(), exponent);
      break;
    }
    if (c == '.') {
      after_point = true;
    } else if (IsDigit(c)) {
      const bool leading_zero = c == '0' && result.digits.empty();
      if (!leading_zero) result.digits += c;
      if (!after_point && !leading_zero) ++result.point;
      if (after_point && leading_zero) --result.point;
    }
  }
  while (result.digits.ends_with('0')) result.digits.pop_back();
  result.point = result.digits.empty() ? 0 : result.point + exponent;
  return result;
}

// Whether the server would print the floating point number of this value in these very characters.
// It prints the fewest digits that tell it from its neighbours, and an exponent for what is very
// small or a large whole number.
bool LooksLikeDouble(std::string_view plain, const Significant& significant) {
  constexpr int kLeastPlainPoint = -14;
  constexpr int kGreatestWholePoint = 15;
  if (significant.point < kLeastPlainPoint) return false;
  const bool whole = significant.point >= static_cast<int>(significant.digits.size());
  if (whole && significant.point > kGreatestWholePoint) return false;
  const std::string_view fraction = plain.substr(plain.find('.') + 1);
  if (fraction != "0" && fraction.ends_with('0')) return false;
  double value = 0;
  std::from_chars(plain.data(), plain.data() + plain.size(), value);
  std::array<char, 32> shortest;  // a double needs 24 characters at most
  const auto [end, error] = std::to_chars(shortest.data(), shortest.data() + shortest.size(), value,
                                          std::chars_format::scientific);
  return error == std::errc() && SignificantOf({shortest.data(), end}) == significant;
}

// Whether reading takes one step with two exact operands, so that its result is the nearest double.
bool IsReadExactly(const Significant& significant) {
  constexpr int kExactDigits = 15;
  constexpr int kExactPower = 22;
  const auto digits = static_cast<int>(significant.digits.size());
  return digits <= kExactDigits && std::abs(significant.point - digits) <= kExactPower;
}

template <class Integer>
bool Fits(std::string_view number) {
  Integer value = 0;
  return std::from_chars(number.data(), number.data() + number.size(), value).ec == std::errc();
}

// The SQL of a number that has to be given apart; empty for the others.
std::string LiteralOf(std::string_view number) {
  if (number.find_first_of("eE") != std::string_view::npos) {
    return IsReadExactly(SignificantOf(number)) ? "" : std::string(number);
  }
  if (number.find('.') == std::string_view::npos) {
    const bool fits = number.starts_with('-') ? Fits<int64_t>(number) : Fits<uint64_t>(number);
    return fits ? "" : std::string(number);
  }
  const Significant significant = SignificantOf(number);
  // In SQL what has no exponent is a DECIMAL.
  if (!LooksLikeDouble(number, significant)) return std::string(number);
  return IsReadExactly(significant) ? "" : std::string(number) + "e0";
}

/// Walks through a document's text. Blanks, colons and the letters of true, false and null are
/// passed over.
class Walker {
 public:
  explicit Walker(std::string_view text) : text_(text) {}

  JsonContent Walk() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '"') {
        TakeString();
      } else if (c == '-' || IsDigit(c)) {
        TakeNumber();
      } else {
        TakeStructure(c);
        ++at_;
      }
    }
    return std::move(content_);
  }

 private:
  // A step from a container to the value that is being read.
  struct Leg {
    bool in_object = false;
    std::string_view key;  // with its quotes and escapes, which paths and texts have in common
    uint64_t index = 0;
  };

  void TakeStructure(char c) {
    if (c == '{' || c == '[') {
      legs_.push_back({c == '{', {}, 0});
    } else if (legs_.empty()) {
      return;
    } else if (c == '}' || c == ']') {
      legs_.pop_back();
    } else if (c == ',') {
      ++legs_.back().index;
    }
  }

  void TakeString() {
    const size_t begin = at_++;
    while (at_ < text_.size() && text_[at_] != '"') at_ += text_[at_] == '\\' ? 2 : 1;
    at_ = std::min(at_ + 1, text_.size());
    if (at_ < text_.size() && text_[at_] == ':' && !legs_.empty()) {
      legs_.back().key = text_.substr(begin, at_ - begin);
    } else {
      ++content_.strings;
    }
  }

  void TakeNumber() {
    const size_t end = std::min(text_.find_first_of(",]} ", at_), text_.size());
    std::string literal = LiteralOf(text_.substr(at_, end - at_));
    at_ = end;
    if (!literal.empty()) content_.numbers.push_back({Path(), std::move(literal)});
  }

  std::string Path() const {
    std::string path = "$";
    for (const Leg& leg : legs_) {
      if (leg.in_object) {
        path += '.';
        path += leg.key;
      } else {
        path += fmt::format("[{}]", leg.index);
      }
    }
    return path;
  }

  std::string_view text_;
  size_t at_ = 0;
  std::vector<Leg> legs_;
  JsonContent content_;
};

}  // namespace

JsonContent ReadJsonText(std::string_view text) { return Walker(text).Walk(); }

}  // namespace oxbackup::mysql
