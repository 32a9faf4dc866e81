#include <fmt/format.h>

#include <string>

#include "fill.h"
#include "fill_mongodb.h"
#include "random.h"
#include "text.h"

namespace sitegen {
namespace {

bson_oid_t ContentId(const Model& model, int64_t number) {
  return MakeId(model.seed, "content", static_cast<uint64_t>(number));
}

Document Votes(Random& random) {
  int64_t up = static_cast<int64_t>(random.Below(4));
  Document votes;
  votes.Array("up", ListOf(up, [&](Document& list, const auto& name, int64_t) {
                list.Text(name, std::to_string(random.Below(500)));
              }));
  votes.Array("down", Document()).Int("up_count", static_cast<int32_t>(up)).Int("down_count", 0);
  return votes.Int("count", static_cast<int32_t>(up)).Int("point", static_cast<int32_t>(up));
}

// Every fifth is a thread, the others are comments in it.
Document Content(const Model& model, int64_t number) {
  Random random(model.seed, "content", static_cast<uint64_t>(number));
  int64_t thread = number / 5 * 5;
  bool is_thread = number == thread;
  int64_t author = static_cast<int64_t>(random.Below(static_cast<uint64_t>(model.users)));
  Document document;
  document.Id("_id", ContentId(model, number))
      .Text("_type", is_thread ? "CommentThread" : "Comment");
  document.Embed("votes", Votes(random)).Bool("visible", true).Array("abuse_flaggers", Document());
  document.Array("historical_abuse_flaggers", Document());
  document.Text("body", Prose(random, 30 + random.Below(random.Percent(5) ? 9000 : 700)));
  document.Text("course_id", CourseKey(thread / 5 % model.courses));
  document.Text("author_id", std::to_string(author + 1));
  document.Text("author_username", Username(model, author)).Bool("anonymous", random.Percent(3));
  document.Date("created_at", Moment(random) * 1000)
      .Date("updated_at", Moment(random) * 1000 + 123);
  if (is_thread) {
    document.Text("title", Prose(random, 25)).Text("thread_type", "discussion");
    document.Text("context", "course")
        .Text("commentable_id", Hex(random, 32))
        .Int("comment_count", 4);
    return document.Bool("closed", false).Bool("pinned", random.Percent(2));
  }
  document.Id("comment_thread_id", ContentId(model, thread)).Bool("endorsed", random.Percent(4));
  bool nested = number % 5 > 2;
  document.Array("parent_ids",
                 ListOf(nested ? 1 : 0, [&](Document& list, const auto& name, int64_t) {
                   list.Id(name, ContentId(model, thread + 1));
                 }));
  if (nested) document.Id("parent_id", ContentId(model, thread + 1));
  return document.Int("depth", nested ? 1 : 0).Text("sk", fmt::format("{}-{}", thread, number));
}

// The forum names its users by their number as a text; read times are keyed by thread.
Document User(const Model& model, int64_t number) {
  Random random(model.seed, "forum user", static_cast<uint64_t>(number));
  Document times, state, document;
  for (int64_t i = 0; i < number % 5; i++) {
    times.Date(Hex(random, 24), Moment(random) * 1000);
  }
  state.Id("_id", MakeId(model.seed, "read state", static_cast<uint64_t>(number)));
  state.Text("course_id", CourseKey(CourseOfUser(model, number, 0)));
  state.Embed("last_read_times", times);
  document.Text("_id", std::to_string(number + 1)).Text("external_id", std::to_string(number + 1));
  document.Text("username", Username(model, number)).Text("default_sort_key", "date");
  Document states;
  if (number % 3 == 0) states.Embed("0", state);
  return document.Array("read_states", states);
}

Document Subscription(const Model& model, int64_t number) {
  Document document;
  document.Id("_id", MakeId(model.seed, "subscription", static_cast<uint64_t>(number)));
  document.Text("subscriber_id", std::to_string(number % model.users + 1));
  document.Text("source_id", fmt::format("{:024x}", number)).Text("source_type", "CommentThread");
  return document.Date("created_at", 1600000000000 + number).Date("updated_at", 1600000000000);
}

}  // namespace

void FillForum(MongodbClient& client, const Model& model, uint64_t bytes) {
  DocumentWriter contents(client, kForum, "contents");
  int64_t count = 0;
  while (count < 50 || contents.bytes() < bytes * 7 / 10) contents.Add(Content(model, count++));
  contents.Flush();
  DocumentWriter users(client, kForum, "users");
  for (int64_t i = 0; i < model.users && (i < 12 || users.bytes() < bytes * 2 / 10); i++) {
    users.Add(User(model, i));
  }
  users.Flush();
  DocumentWriter subscriptions(client, kForum, "subscriptions");
  for (int64_t i = 0; i < 12 || subscriptions.bytes() < bytes / 10; i++) {
    subscriptions.Add(Subscription(model, i));
  }
  subscriptions.Flush();
  MakeIndex(client, kForum, "contents", "_type_1_course_id_1_created_at_-1",
            Document().Int("_type", 1).Int("course_id", 1).Int("created_at", -1));
  MakeIndex(client, kForum, "contents", "comment_thread_id_1_sparse",
            Document().Int("comment_thread_id", 1), Document().Bool("sparse", true));
  MakeIndex(client, kForum, "users", "external_id_1", Document().Int("external_id", 1),
            Document().Bool("unique", true));
  MakeIndex(client, kForum, "subscriptions", "subscriber_id_1_source_id_1_source_type_1",
            Document().Int("subscriber_id", 1).Int("source_id", 1).Int("source_type", 1));
}

}  // namespace sitegen
