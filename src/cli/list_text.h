// Lists in one text: what variables of the environment hold.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace oxbackup {

/// Reads a list as Tutor, JSON, YAML and people write it:
///   a b    a,b    words between spaces, commas and line ends
///   ["a", "b"]    ['a', 'b']    [a, b]    JSON, Python and YAML's short form; escapes in double
///                 quotes are JSON's, two single quotes in single ones are one
///   - a           YAML's long form, an item a line
///   - "b"
/// "#" behind a space begins a comment in YAML's forms. Throws Error(kUsage) for everything else
/// (a list or a quote that does not end, something behind the list, a list in the list), with
/// `origin`, the variable's name, and an example.
std::vector<std::string> ParseList(std::string_view text, std::string_view origin);

}  // namespace oxbackup
