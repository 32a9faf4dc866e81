#include <fmt/format.h>

#include <algorithm>

#include "mysql_tables.h"
#include "random.h"
#include "text.h"

namespace sitegen {
namespace {

Random RowRandom(const Model& model, std::string_view table, int64_t row) {
  return {model.seed, table, static_cast<uint64_t>(row)};
}

// The key is a text that other tables refer to; the time zone of the dates is UTC.
Table CourseOverview(const Model& model) {
  Table table;
  table.name = "course_overviews_courseoverview";
  table.create =
      "`created` datetime(6) NOT NULL, `modified` datetime(6) NOT NULL, `version` int NOT NULL, "
      "`id` varchar(255) NOT NULL, `_location` varchar(255) NOT NULL, `org` longtext NOT NULL, "
      "`display_name` longtext, `start` datetime(6) DEFAULT NULL, `end` datetime(6) DEFAULT NULL, "
      "`lowest_passing_grade` decimal(5,2) DEFAULT NULL, `days_early_for_beta` double DEFAULT "
      "NULL, "
      "`mobile_available` tinyint(1) NOT NULL, `short_description` longtext, "
      "`course_video_url` longtext, `effort` longtext, `self_paced` tinyint(1) NOT NULL, "
      "PRIMARY KEY (`id`)";
  table.rows = model.courses;
  table.make = [model](RowWriter& out, int64_t row) {
    Random random = RowRandom(model, "course_overviews_courseoverview", row);
    out.Text(SqlTime(random)).Text(SqlTime(random)).Int(19).Text(CourseKey(row));
    out.Text(UsageKey(model, row, 0)).Text(CourseOrg(row)).Text(Prose(random, 40));
    out.TextOrNull(!random.Percent(10), SqlTime(random))
        .TextOrNull(random.Percent(50), SqlTime(random));
    out.TextOrNull(!random.Percent(10), "0.50");
    random.Percent(80) ? out.Null() : out.Real(2.5);
    out.Bool(random.Percent(50)).TextOrNull(random.Percent(80), Prose(random, 400));
    out.TextOrNull(random.Percent(30), "")
        .TextOrNull(random.Percent(30), "4:00")
        .Bool(row % 2 == 0);
  };
  return table;
}

Table CourseTab(const Model& model) {
  Table table;
  table.name = "course_overviews_courseoverviewtab";
  table.create =
      "`id` int NOT NULL AUTO_INCREMENT, `tab_id` varchar(50) NOT NULL, "
      "`course_overview_id` varchar(255) NOT NULL, `name` longtext, PRIMARY KEY (`id`)";
  table.finish =
      "ADD CONSTRAINT `courseoverviewtab_course_fk` FOREIGN KEY (`course_overview_id`) "
      "REFERENCES `course_overviews_courseoverview` (`id`) ON DELETE CASCADE";
  table.rows = model.courses * 5;
  table.make = [model](RowWriter& out, int64_t row) {
    Random random = RowRandom(model, "course_overviews_courseoverviewtab", row);
    out.Int(row + 1)
        .Text(fmt::format("tab{}", row % 5))
        .Text(CourseKey(row / 5))
        .Text(Prose(random, 9));
  };
  return table;
}

Table CourseImageSet(const Model& model) {
  Table table;
  table.name = "course_overviews_courseoverviewimageset";
  table.create =
      "`id` int NOT NULL AUTO_INCREMENT, `small_url` longtext NOT NULL, `large_url` longtext NOT "
      "NULL, `course_overview_id` varchar(255) NOT NULL, PRIMARY KEY (`id`)";
  table.finish =
      "ADD UNIQUE KEY `course_overview_id` (`course_overview_id`), ADD CONSTRAINT "
      "`courseoverviewimageset_course_fk` FOREIGN KEY (`course_overview_id`) REFERENCES "
      "`course_overviews_courseoverview` (`id`) ON DELETE CASCADE ON UPDATE CASCADE";
  table.rows = model.courses;
  table.make = [](RowWriter& out, int64_t row) {
    out.Int(row + 1).Text("").Text(fmt::format("/asset-v1:{}+image.jpg", row)).Text(CourseKey(row));
  };
  return table;
}

// A primary key of several columns, one of them a text.
Table Preference(const Model& model) {
  Table table;
  table.name = "user_api_userpreference";
  table.create =
      "`user_id` int NOT NULL, `key` varchar(255) NOT NULL, `value` longtext NOT NULL, "
      "PRIMARY KEY (`user_id`,`key`)";
  table.finish =
      "ADD KEY `user_api_userpreference_key` (`key`), ADD CONSTRAINT `userpreference_user_fk` "
      "FOREIGN KEY (`user_id`) REFERENCES `auth_user` (`id`)";
  table.rows = model.users * 3;
  table.make = [model](RowWriter& out, int64_t row) {
    Random random = RowRandom(model, "user_api_userpreference", row);
    constexpr std::string_view kKeys[] = {"account_privacy", "pref-lang", "time_zone"};
    out.Int(row / 3 + 1).Text(kKeys[row % 3]).Text(random.Percent(20) ? Prose(random, 30) : "en");
  };
  return table;
}

Table VisibleBlocks(const Model& model) {
  Table table;
  table.name = "grades_visibleblocks";
  table.create =
      "`id` int NOT NULL AUTO_INCREMENT, `blocks_json` longtext NOT NULL, `hashed` varchar(100) "
      "NOT "
      "NULL, `course_id` varchar(255) NOT NULL, PRIMARY KEY (`id`), UNIQUE KEY `hashed` (`hashed`)";
  table.rows = model.courses;
  table.make = [model](RowWriter& out, int64_t row) {
    std::string blocks = "{\"blocks\": [";
    for (int64_t i = 0; i < kBlocksPerCourse; i += 4) {
      blocks += fmt::format("{}{{\"locator\": \"{}\", \"graded\": true}}", i > 0 ? ", " : "",
                            UsageKey(model, row, i));
    }
    out.Int(row + 1).Text(blocks + "]}").Text(fmt::format("hash{:022}", row)).Text(CourseKey(row));
  };
  return table;
}

// Refers to a unique key that is not primary.
Table SubsectionGrade(const Model& model) {
  Table table;
  table.name = "grades_persistentsubsectiongrade";
  table.create =
      "`id` bigint unsigned NOT NULL AUTO_INCREMENT, `user_id` int NOT NULL, "
      "`course_id` varchar(255) NOT NULL, `earned_all` double NOT NULL, `possible_all` double NOT "
      "NULL, `first_attempted` datetime(6) DEFAULT NULL, `visible_blocks_hash` varchar(100) NOT "
      "NULL, PRIMARY KEY (`id`)";
  table.finish =
      "ADD KEY `grades_user_course` (`user_id`,`course_id`), ADD CONSTRAINT `grades_visible_fk` "
      "FOREIGN KEY (`visible_blocks_hash`) REFERENCES `grades_visibleblocks` (`hashed`)";
  table.rows = model.users * 4;
  table.make = [model](RowWriter& out, int64_t row) {
    Random random = RowRandom(model, "grades_persistentsubsectiongrade", row);
    int64_t course = CourseOfUser(model, row / 4, row % 3);
    out.Int(row + 1).Int(row / 4 + 1).Text(CourseKey(course));
    out.Real(static_cast<double>(random.Below(1000)) / 7.0).Real(142.857142857142861);
    out.TextOrNull(random.Percent(80), SqlTime(random)).Text(fmt::format("hash{:022}", course));
  };
  return table;
}

Table WikiRevision(const Model& model) {
  Table table;
  table.name = "wiki_articlerevision";
  table.create =
      "`id` int NOT NULL AUTO_INCREMENT, `revision_number` int NOT NULL, `title` varchar(512) NOT "
      "NULL, `content` longtext NOT NULL, `ip_address` char(39) CHARACTER SET latin1 DEFAULT NULL, "
      "`previous_revision_id` int DEFAULT NULL, PRIMARY KEY (`id`)";
  table.finish =
      "ADD KEY `wiki_previous` (`previous_revision_id`), ADD FULLTEXT KEY `wiki_text` "
      "(`title`,`content`), ADD CONSTRAINT `wiki_previous_fk` FOREIGN KEY (`previous_revision_id`) "
      "REFERENCES `wiki_articlerevision` (`id`)";
  table.rows = model.users / 4;
  table.make = [model](RowWriter& out, int64_t row) {
    Random random = RowRandom(model, "wiki_articlerevision", row);
    out.Int(row + 1)
        .Int(row % 9)
        .Text(Prose(random, 20))
        .Text(Prose(random, 300 + random.Below(3000)));
    out.TextOrNull(random.Percent(50), "2001:db8::1");
    row % 9 == 0 ? out.Null() : out.Int(row);
  };
  return table;
}

// A table without any key, with equal rows in it.
Table TrackingLog(const Model& model) {
  Table table;
  table.name = "track_trackinglog";
  table.create =
      "`dtcreated` datetime(6) NOT NULL, `username` varchar(32) NOT NULL, "
      "`event` longtext, `raw` varbinary(64) DEFAULT NULL";
  table.rows = model.users;
  table.make = [model](RowWriter& out, int64_t row) {
    Random random = RowRandom(model, "track_trackinglog", row / 2);
    out.Text(SqlTime(random)).Text(fmt::format("u{}", row / 20));
    out.TextOrNull(random.Percent(50), Prose(random, 40));
    random.Percent(30) ? out.Null() : out.Binary(random.Bytes(random.Below(64)));
  };
  return table;
}

// Files in a table: binary rows, some of several megabytes.
Table Attachment(const Model& model) {
  Table table;
  table.name = "wiki_attachmentdata";
  table.create =
      "`uuid` binary(16) NOT NULL, `name` varchar(255) NOT NULL, `data` longblob NOT NULL, "
      "PRIMARY KEY (`uuid`)";
  table.rows = 24;
  table.make = [model](RowWriter& out, int64_t row) {
    Random random = RowRandom(model, "wiki_attachmentdata", row);
    size_t bytes =
        row < 2 ? HugeRowBytes(model) : random.Below(20000) * static_cast<size_t>(row % 3);
    out.Binary(random.Bytes(16)).Text(GivenName(random) + ".bin").Binary(random.Bytes(bytes));
  };
  return table;
}

Table EmptyTable(int64_t number) {
  Table table;
  table.name = fmt::format("django_app{:03}_setting", number);
  table.create =
      "`id` int NOT NULL AUTO_INCREMENT, `change_date` datetime(6) NOT NULL, `enabled` tinyint(1) "
      "NOT NULL, `changed_by_id` int DEFAULT NULL, PRIMARY KEY (`id`), "
      "KEY `changed_by` (`changed_by_id`)";
  if (number % 4 == 0) {
    table.finish = fmt::format(
        "ADD CONSTRAINT `app{:03}_user_fk` FOREIGN KEY (`changed_by_id`) REFERENCES `auth_user` "
        "(`id`)",
        number);
  }
  return table;
}

}  // namespace

std::vector<Table> CourseTables(const Model& model) {
  std::vector<Table> tables = {WikiRevision(model), SubsectionGrade(model), Attachment(model),
                               Preference(model),   VisibleBlocks(model),   CourseOverview(model),
                               CourseTab(model),    CourseImageSet(model),  TrackingLog(model)};
  for (int64_t i = 0; i < model.empty_tables; i++) tables.push_back(EmptyTable(i));
  return tables;
}

}  // namespace sitegen
