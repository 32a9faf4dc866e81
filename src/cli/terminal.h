// What the terminal can show.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace oxbackup {

/// How text is shown. The render functions take one, so that tests choose it.
struct TerminalStyle {
  int width = 80;        ///< columns, at least 40
  bool unicode = false;  ///< the locale's characters are UTF-8
  bool colour = false;
};

/// True when the descriptor is a terminal that understands cursor movements.
bool IsTerminal(int descriptor);

/// Asks the terminal and the environment (LC_ALL, LC_CTYPE, LANG, NO_COLOR, TERM, COLUMNS). Colour
/// only on a terminal; 80 columns where the width is unknown.
TerminalStyle StyleOf(int descriptor);

enum class Colour { kGreen, kYellow, kRed, kDim, kBold };
/// `text` in that colour, or as it is when the style has none.
std::string Paint(const TerminalStyle& style, Colour colour, std::string_view text);

/// Columns that UTF-8 text takes on a terminal: wide East Asian characters and emoji take two,
/// combining marks none. REQUIRES: no escape sequences.
int DisplayWidth(std::string_view text);
/// Cuts from the end so that it takes at most `width` columns, "…" (or "...") standing for the
/// rest.
std::string Shorten(std::string_view text, int width, bool unicode);
/// Fills up with spaces to `width` columns.
std::string PadRight(std::string_view text, int width);
std::string PadLeft(std::string_view text, int width);
/// Replaces control characters by '?', so that a name cannot steer the terminal.
std::string Printable(std::string_view text);
/// A word of a command to be typed into a shell: quoted where it needs that.
std::string ForShell(const std::string& word);
/// Breaks at spaces; continuation lines begin with `indent` spaces. `text` itself starts at column
/// `indent` already.
std::string WrapAt(std::string_view text, int indent, int width);
/// A command's warnings below its result: "  warning: …", each from a line of its own on.
std::string RenderWarnings(const std::vector<std::string>& warnings, const TerminalStyle& style);

}  // namespace oxbackup
