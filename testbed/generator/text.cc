#include "text.h"

#include <fmt/format.h>

#include <array>
#include <chrono>

namespace sitegen {
namespace {

constexpr std::array<std::string_view, 64> kWords = {
    "the",       "course",    "of",       "and",     "learning",  "unit",     "problem",  "video",
    "in",        "a",         "to",       "answer",  "student",   "module",   "week",     "is",
    "graph",     "energy",    "matrix",   "history", "theory",    "model",    "function", "data",
    "we",        "you",       "find",     "explain", "compare",   "consider", "that",     "with",
    "structure", "cell",      "market",   "policy",  "language",  "code",     "system",   "network",
    "derive",    "integral",  "velocity", "force",   "therefore", "because",  "however",  "for",
    "example",   "following", "figure",   "table",   "equation",  "section",  "chapter",  "review",
    "quiz",      "exam",      "project",  "group",   "essay",     "question", "deadline", "grade"};

// One line a script; several need more than two bytes a character, one more than three.
constexpr std::array<std::string_view, 16> kPhrases = {"Добро пожаловать на курс, ",
                                                       "机器学习的基本概念。",
                                                       "日本語の授業へようこそ、",
                                                       "한국어 수업에 오신 것을 환영합니다 ",
                                                       "مرحبا بكم في الدورة، ",
                                                       "ברוכים הבאים לקורס, ",
                                                       "पाठ्यक्रम में आपका स्वागत है। ",
                                                       "Καλώς ήρθατε στο μάθημα, ",
                                                       "ยินดีต้อนรับสู่หลักสูตร ",
                                                       "Größe, Übung und Maß: ",
                                                       "Ça dépend de l’élève, où ça? ",
                                                       "Ñandú, mañana, ¿qué? ¡sí! ",
                                                       "Chào mừng bạn đến với khóa học, ",
                                                       "የትምህርት ክፍል እንኳን ደህና መጣህ፣ ",
                                                       "Զգույշ եղիր, սովորիր։ ",
                                                       "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 𠜎𠜱𠝹 𐍈 "};

constexpr std::array<std::string_view, 12> kEmoji = {"😀", "🎓",      "👩‍🚀",   "🇩🇪",
                                                     "🔥", "💯",      "👍🏽",      "🧪",
                                                     "📚", "❤️", "🤷‍♂️", "🫠"};

constexpr std::array<std::string_view, 20> kGiven = {
    "Anna", "José", "Zoë",   "Søren",  "Иван",   "Мария",  "明",   "さくら", "지훈",    "محمد",
    "שרה",  "आरव",  "Ελένη", "Łukasz", "Nguyễn", "O'Neil", "Ünal", "สมชาย",  "D\\Arcy", "Siân"};

constexpr std::array<std::string_view, 20> kFamily = {
    "Müller", "García", "Smith",  "Þórsson", "Петров",     "Иванова",       "王",
    "鈴木",   "김",     "الحسن",  "כהן",     "शर्मा",       "Παπάς",         "Żółć",
    "Trần",   "\"Q\"",  "Yılmaz", "ใจดี",     "de la Cruz", "Ó Súilleabháin"};

template <typename List>
std::string_view Pick(Random& random, const List& list) {
  return list[random.Below(list.size())];
}

}  // namespace

std::string Words(Random& random, size_t count) {
  std::string text;
  for (size_t i = 0; i < count; i++) {
    if (i > 0) text += ' ';
    text += Pick(random, kWords);
  }
  return text;
}

std::string Prose(Random& random, size_t bytes) {
  std::string text;
  text.reserve(bytes + 64);
  std::string_view phrase = Pick(random, kPhrases);
  while (text.size() < bytes) {
    switch (random.Below(12)) {
      case 0:
        text += Pick(random, kEmoji);
        break;
      case 1:
        text += phrase;
        break;
      case 2:
        text += ".\n";
        break;
      default:
        text += Pick(random, kWords);
    }
    text += ' ';
  }
  return text;
}

std::string GivenName(Random& random) { return std::string(Pick(random, kGiven)); }
std::string FamilyName(Random& random) { return std::string(Pick(random, kFamily)); }

std::string Hex(Random& random, size_t digits) {
  std::string text(digits, '0');
  for (char& c : text) c = "0123456789abcdef"[random.Below(16)];
  return text;
}

std::string Uuid(Random& random) {
  return fmt::format("{}-{}-4{}-a{}-{}", Hex(random, 8), Hex(random, 4), Hex(random, 3),
                     Hex(random, 3), Hex(random, 12));
}

std::string Token(Random& random, size_t length) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string text(length, 'A');
  for (char& c : text) c = kDigits[random.Below(kDigits.size())];
  return text;
}

int64_t Moment(Random& random) {
  constexpr int64_t kFirst = 1451606400;  // 2016-01-01
  return kFirst + static_cast<int64_t>(random.Below(10ULL * 365 * 86400));
}

namespace {

struct Calendar {
  int year;
  unsigned month, day;
  int64_t hour, minute, second;
};

Calendar Split(int64_t seconds) {
  int64_t days = seconds / 86400;
  int64_t rest = seconds % 86400;
  std::chrono::year_month_day date{std::chrono::sys_days{std::chrono::days{days}}};
  return {static_cast<int>(date.year()),
          static_cast<unsigned>(date.month()),
          static_cast<unsigned>(date.day()),
          rest / 3600,
          rest / 60 % 60,
          rest % 60};
}

}  // namespace

std::string SqlTime(int64_t seconds, int micros) {
  Calendar c = Split(seconds);
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}.{:06}", c.year, c.month, c.day, c.hour,
                     c.minute, c.second, micros);
}

std::string SqlTime(Random& random) {
  int64_t seconds = Moment(random);
  return SqlTime(seconds, static_cast<int>(random.Below(1000000)));
}

std::string IsoTime(int64_t seconds) {
  Calendar c = Split(seconds);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", c.year, c.month, c.day, c.hour,
                     c.minute, c.second);
}

}  // namespace sitegen
