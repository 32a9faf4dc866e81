#include "student_state.h"

#include <fmt/format.h>

#include <iterator>

#include "text.h"

namespace sitegen {
namespace {

// JSON's own escapes; other characters stand as they are, as Python's json leaves them or not:
// edx-platform writes \uXXXX, other services write UTF-8, and both are found in real sites.
std::string JsonText(std::string_view text) {
  std::string quoted = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    if (c == '\n') {
      quoted += "\\n";
    } else {
      quoted += c;
    }
  }
  return quoted + "\"";
}

std::string ProblemState(Random& random, std::string_view hex) {
  int parts = random.Int(1, 4);
  int attempts = random.Int(1, 5);
  std::string answers, correct, inputs;
  for (int part = 2; part < 2 + parts; part++) {
    const char* comma = part > 2 ? ", " : "";
    std::string name = fmt::format("{}_{}_1", hex, part);
    std::string answer = random.Percent(70)   ? fmt::format("\"choice_{}\"", random.Below(5))
                         : random.Percent(50) ? fmt::format("\"{}\"", random.Int(-5000, 5000))
                                              : JsonText(Prose(random, random.Below(200)));
    fmt::format_to(std::back_inserter(answers), "{}\"{}\": {}", comma, name, answer);
    fmt::format_to(std::back_inserter(correct),
                   "{}\"{}\": {{\"correctness\": \"{}\", \"npoints\": {}, \"msg\": \"\", "
                   "\"hint\": \"\", \"hintmode\": null, \"queuestate\": null, "
                   "\"answervariable\": null}}",
                   comma, name, random.Percent(60) ? "correct" : "incorrect",
                   random.Percent(80) ? "null" : "1");
    fmt::format_to(std::back_inserter(inputs), "{}\"{}\": {{}}", comma, name);
  }
  return fmt::format(
      "{{\"seed\": {}, \"attempts\": {}, \"done\": {}, \"student_answers\": {{{}}}, "
      "\"correct_map\": {{{}}}, \"input_state\": {{{}}}, \"correct_map_history\": [], "
      "\"last_submission_time\": \"{}\", \"score\": {{\"raw_earned\": {}, \"raw_possible\": {}}}, "
      "\"score_history\": []}}",
      random.Int(1, 1000), attempts, random.Percent(90), answers, correct, inputs,
      IsoTime(Moment(random)), random.Int(0, parts), parts);
}

}  // namespace

std::string StudentState(Random& random, std::string_view type, std::string_view hex) {
  if (type == "problem") return ProblemState(random, hex);
  if (type == "video") {
    return fmt::format(
        "{{\"saved_video_position\": \"{:02}:{:02}:{:02}\", \"speed\": {:.2f}, "
        "\"transcript_language\": \"{}\", \"youtube_is_available\": {}}}",
        random.Int(0, 2), random.Int(0, 59), random.Int(0, 59), random.Int(2, 8) / 4.0,
        random.Percent(80) ? "en" : "zh-TW", random.Percent(90));
  }
  if (type == "sequential" || type == "chapter" || type == "course") {
    return fmt::format("{{\"position\": {}}}", random.Int(1, 12));
  }
  if (type == "openassessment") {
    return fmt::format(
        "{{\"submission_uuid\": \"{}\", \"saved_response\": {}, \"has_saved\": true}}",
        Uuid(random), JsonText(Prose(random, 200 + random.Below(4000))));
  }
  return random.Percent(50) ? "{}" : "";
}

std::string HugeState(Random& random, size_t bytes) {
  std::string state = "{\"drawing\": [";
  while (state.size() < bytes) {
    fmt::format_to(std::back_inserter(state), "{{\"x\": {}, \"y\": {}, \"label\": {}}}, ",
                   random.Int(0, 4000), random.Int(0, 4000), JsonText(Prose(random, 40)));
  }
  return state + "null]}";
}

}  // namespace sitegen
