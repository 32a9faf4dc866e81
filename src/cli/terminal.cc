#include "cli/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <string>
#include <vector>

#include "base/text.h"

namespace oxbackup {
namespace {

std::string_view Variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string_view() : value;
}

bool LocaleIsUtf8() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const std::string value = LowerCase(Variable(name));
    if (value.empty()) continue;
    return value.find("utf-8") != std::string::npos || value.find("utf8") != std::string::npos;
  }
  return false;
}

int WidthOf(int descriptor) {
  winsize size{};
  if (::ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
    return std::max<int>(size.ws_col, 40);
  }
  const int columns = std::atoi(std::string(Variable("COLUMNS")).c_str());
  return columns >= 40 ? columns : 80;
}

/// Takes the first character off `text`. An invalid byte counts as a character.
char32_t TakeCharacter(std::string_view& text) {
  const auto first = static_cast<unsigned char>(text.front());
  size_t size = 1;
  char32_t character = first;
  if (first >= 0xF0) {
    size = 4;
    character = first & 0x07u;
  } else if (first >= 0xE0) {
    size = 3;
    character = first & 0x0Fu;
  } else if (first >= 0xC0) {
    size = 2;
    character = first & 0x1Fu;
  }
  size = std::min(size, text.size());
  for (size_t at = 1; at < size; ++at) {
    character = (character << 6) | (static_cast<unsigned char>(text[at]) & 0x3Fu);
  }
  text.remove_prefix(size);
  return character;
}

/// A coarse table: wcwidth() depends on the process's locale, which is not set on purpose.
int CharacterWidth(char32_t c) {
  if (c < 0x300) return 1;
  if ((c >= 0x300 && c <= 0x36F) || (c >= 0x200B && c <= 0x200F) || (c >= 0xFE00 && c <= 0xFE0F)) {
    return 0;
  }
  const bool wide = (c >= 0x1100 && c <= 0x115F) || (c >= 0x2E80 && c <= 0xA4CF) ||
                    (c >= 0xAC00 && c <= 0xD7A3) || (c >= 0xF900 && c <= 0xFAFF) ||
                    (c >= 0xFE30 && c <= 0xFE6F) || (c >= 0xFF00 && c <= 0xFF60) ||
                    (c >= 0x1F300 && c <= 0x1FAFF) || (c >= 0x20000 && c <= 0x3FFFD);
  return wide ? 2 : 1;
}

/// Words, but a number and its unit ("4.1 kB,") in one.
std::vector<std::string> UnbreakableParts(std::string_view text) {
  static constexpr std::string_view kUnits[] = {"byte", "bytes", "kB", "MB",  "GB", "TB",
                                                "PB",   "ms",    "s",  "min", "h",  "d"};
  std::vector<std::string> parts;
  for (const std::string& word : SplitNonEmpty(text, " \n")) {
    const std::string_view bare = std::string_view(word).substr(0, word.find_first_of(",;.)"));
    const bool unit = std::ranges::find(kUnits, bare) != std::end(kUnits);
    if (unit && !parts.empty() && std::isdigit(static_cast<unsigned char>(parts.back().back()))) {
      parts.back() += " " + word;
    } else {
      parts.push_back(word);
    }
  }
  return parts;
}

}  // namespace

bool IsTerminal(int descriptor) { return ::isatty(descriptor) == 1 && Variable("TERM") != "dumb"; }

TerminalStyle StyleOf(int descriptor) {
  return {.width = WidthOf(descriptor),
          .unicode = LocaleIsUtf8(),
          .colour = IsTerminal(descriptor) && Variable("NO_COLOR").empty()};
}

std::string Paint(const TerminalStyle& style, Colour colour, std::string_view text) {
  if (!style.colour || text.empty()) return std::string(text);
  std::string_view code = "1";
  switch (colour) {
    case Colour::kGreen:
      code = "32";
      break;
    case Colour::kYellow:
      code = "33";
      break;
    case Colour::kRed:
      code = "31";
      break;
    case Colour::kDim:
      code = "2";
      break;
    case Colour::kBold:
      break;
  }
  return "\x1b[" + std::string(code) + "m" + std::string(text) + "\x1b[0m";
}

int DisplayWidth(std::string_view text) {
  int width = 0;
  while (!text.empty()) width += CharacterWidth(TakeCharacter(text));
  return width;
}

std::string Shorten(std::string_view text, int width, bool unicode) {
  if (DisplayWidth(text) <= width) return std::string(text);
  const std::string_view rest = unicode ? "…" : "...";
  int left = width - (unicode ? 1 : 3);
  if (left < 0) return std::string(static_cast<size_t>(std::max(width, 0)), '.');
  std::string_view tail = text;
  size_t kept = 0;
  while (!tail.empty()) {
    left -= CharacterWidth(TakeCharacter(tail));
    if (left < 0) break;
    kept = text.size() - tail.size();
  }
  return std::string(text.substr(0, kept)) + std::string(rest);
}

std::string PadRight(std::string_view text, int width) {
  return std::string(text) +
         std::string(static_cast<size_t>(std::max(0, width - DisplayWidth(text))), ' ');
}

std::string PadLeft(std::string_view text, int width) {
  return std::string(static_cast<size_t>(std::max(0, width - DisplayWidth(text))), ' ') +
         std::string(text);
}

std::string Printable(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7F) c = '?';
  }
  return out;
}

std::string ForShell(const std::string& word) {
  const auto plain = [](unsigned char c) {
    return std::isalnum(c) != 0 ||
           std::string_view("_./:=@%+,-").find(static_cast<char>(c)) != std::string_view::npos;
  };
  if (!word.empty() && std::ranges::all_of(word, plain)) return word;
  std::string quoted = "'";
  for (const char c : word) quoted += c == '\'' ? "'\\''" : std::string(1, c);
  return quoted + "'";
}

std::string WrapAt(std::string_view text, int indent, int width) {
  std::string out;
  int column = indent;
  for (const std::string& word : UnbreakableParts(text)) {
    const int size = DisplayWidth(word);
    if (column > indent && column + 1 + size > width) {
      out += "\n" + std::string(static_cast<size_t>(indent), ' ');
      column = indent;
    }
    if (column > indent) {
      out += ' ';
      ++column;
    }
    out += word;
    column += size;
  }
  return out;
}

std::string RenderWarnings(const std::vector<std::string>& warnings, const TerminalStyle& style) {
  std::string out;
  for (const std::string& warning : warnings) {
    out += "  " + Paint(style, Colour::kYellow, "warning:") + " " +
           WrapAt(Printable(warning), 11, style.width) + "\n";
  }
  return out;
}

}  // namespace oxbackup
