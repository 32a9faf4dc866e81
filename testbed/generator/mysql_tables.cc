#include "mysql_tables.h"

#include <fmt/format.h>

#include "random.h"
#include "student_state.h"
#include "text.h"

namespace sitegen {
namespace {

Random RowRandom(const Model& model, std::string_view table, int64_t row) {
  return {model.seed, table, static_cast<uint64_t>(row)};
}

Table AuthUser(const Model& model) {
  Table table;
  table.name = "auth_user";
  table.create =
      "`id` int NOT NULL AUTO_INCREMENT, `password` varchar(128) NOT NULL, "
      "`last_login` datetime(6) DEFAULT NULL, `is_superuser` tinyint(1) NOT NULL, "
      "`username` varchar(150) NOT NULL, `first_name` varchar(150) NOT NULL, "
      "`last_name` varchar(150) NOT NULL, `email` varchar(254) NOT NULL, "
      "`is_staff` tinyint(1) NOT NULL, `is_active` tinyint(1) NOT NULL, "
      "`date_joined` datetime(6) NOT NULL, PRIMARY KEY (`id`)";
  table.finish = "ADD UNIQUE KEY `username` (`username`), ADD UNIQUE KEY `email` (`email`)";
  table.rows = model.users;
  table.make = [model](RowWriter& out, int64_t row) {
    Random random = RowRandom(model, "auth_user", row);
    out.Int(row + 1)
        .Text(fmt::format("pbkdf2_sha256$600000${}${}=", Token(random, 22), Token(random, 43)))
        .TextOrNull(!random.Percent(15), SqlTime(random))
        .Bool(row == 0)
        .Text(Username(model, row))
        .Text(random.Percent(40) ? "" : GivenName(random))
        .Text(random.Percent(40) ? "" : FamilyName(random))
        .Text(fmt::format("user{}@example-{}.org", row, random.Below(50)))
        .Bool(row < 5)
        .Bool(!random.Percent(5))
        .Text(SqlTime(random));
  };
  return table;
}

Table UserProfile(const Model& model) {
  Table table;
  table.name = "auth_userprofile";
  table.create =
      "`id` int NOT NULL AUTO_INCREMENT, `name` varchar(255) NOT NULL, `meta` longtext NOT NULL, "
      "`courseware` varchar(255) NOT NULL, `language` varchar(255) NOT NULL, "
      "`location` varchar(255) NOT NULL, `year_of_birth` int DEFAULT NULL, "
      "`gender` varchar(6) DEFAULT NULL, `level_of_education` varchar(6) DEFAULT NULL, "
      "`mailing_address` longtext, `city` longtext, `country` varchar(2) DEFAULT NULL, "
      "`goals` longtext, `bio` varchar(3000) DEFAULT NULL, "
      "`profile_image_uploaded_at` datetime(6) DEFAULT NULL, `user_id` int NOT NULL, "
      "PRIMARY KEY (`id`)";
  table.finish =
      "ADD UNIQUE KEY `user_id` (`user_id`), ADD KEY `auth_userprofile_name` (`name`), "
      "ADD KEY `auth_userprofile_bio` (`bio`(20)), ADD CONSTRAINT `auth_userprofile_user_fk` "
      "FOREIGN KEY (`user_id`) REFERENCES `auth_user` (`id`)";
  table.rows = model.users;
  table.make = [model](RowWriter& out, int64_t row) {
    Random random = RowRandom(model, "auth_userprofile", row);
    out.Int(row + 1)
        .Text(GivenName(random) + " " + FamilyName(random))
        .Text(random.Percent(80) ? "" : fmt::format("{{\"session_id\": \"{}\"}}", Hex(random, 32)))
        .Text("course.xml")
        .Text(random.Percent(70) ? "" : "pt-br")
        .Text("");
    random.Percent(30) ? out.Null() : out.Int(random.Int(1930, 2012));
    out.TextOrNull(random.Percent(70), random.Percent(50) ? "f" : "m")
        .TextOrNull(random.Percent(70), "hs")
        .TextOrNull(random.Percent(60), random.Percent(50) ? "" : Prose(random, 60))
        .TextOrNull(random.Percent(30), Prose(random, 12))
        .TextOrNull(random.Percent(80), "DE")
        .TextOrNull(random.Percent(50), Prose(random, random.Below(300)))
        .TextOrNull(random.Percent(25), Prose(random, random.Below(900)))
        .TextOrNull(random.Percent(10), SqlTime(random))
        .Int(row + 1);
  };
  return table;
}

Table Enrollment(const Model& model) {
  Table table;
  table.name = "student_courseenrollment";
  table.create =
      "`id` int NOT NULL AUTO_INCREMENT, `course_id` varchar(255) NOT NULL, "
      "`created` datetime(6) DEFAULT NULL, `is_active` tinyint(1) NOT NULL, "
      "`mode` varchar(100) NOT NULL, `user_id` int NOT NULL, PRIMARY KEY (`id`)";
  table.finish =
      "ADD UNIQUE KEY `student_courseenrollment_user_course` (`user_id`,`course_id`), "
      "ADD KEY `student_courseenrollment_course` (`course_id`), "
      "ADD KEY `student_courseenrollment_created` (`created`), "
      "ADD CONSTRAINT `student_courseenrollment_course_fk` FOREIGN KEY (`course_id`) "
      "REFERENCES `course_overviews_courseoverview` (`id`), "
      "ADD CONSTRAINT `student_courseenrollment_user_fk` FOREIGN KEY (`user_id`) "
      "REFERENCES `auth_user` (`id`)";
  table.rows = model.users * 3;
  table.make = [model](RowWriter& out, int64_t row) {
    Random random = RowRandom(model, "student_courseenrollment", row);
    // Holes in the numbers, as deleted rows leave them.
    out.Int(row * 3 + 1 + row % 2)
        .Text(CourseKey(CourseOfUser(model, row / 3, row % 3)))
        .TextOrNull(!random.Percent(1), SqlTime(random))
        .Bool(!random.Percent(10))
        .Text(random.Percent(85) ? "audit" : "verified")
        .Int(row / 3 + 1);
  };
  return table;
}

// With all keys of the real table: most of what a restore of it costs is to build them.
Table StudentModule(const Model& model) {
  Table table;
  table.name = "courseware_studentmodule";
  table.create =
      "`id` bigint NOT NULL AUTO_INCREMENT, `module_type` varchar(32) NOT NULL, "
      "`module_id` varchar(255) NOT NULL, `course_id` varchar(255) NOT NULL, `state` longtext, "
      "`grade` double DEFAULT NULL, `max_grade` double DEFAULT NULL, `done` varchar(8) NOT NULL, "
      "`created` datetime(6) NOT NULL, `modified` datetime(6) NOT NULL, `student_id` int NOT NULL, "
      "PRIMARY KEY (`id`)";
  table.finish =
      "ADD UNIQUE KEY `courseware_studentmodule_student_module` "
      "(`student_id`,`module_id`,`course_id`), "
      "ADD KEY `courseware_stats` (`module_id`,`grade`,`student_id`), "
      "ADD KEY `courseware_studentmodule_module_type` (`module_type`), "
      "ADD KEY `courseware_studentmodule_course_id` (`course_id`), "
      "ADD KEY `courseware_studentmodule_grade` (`grade`), "
      "ADD KEY `courseware_studentmodule_created` (`created`), "
      "ADD KEY `courseware_studentmodule_modified` (`modified`), "
      "ADD CONSTRAINT `courseware_studentmodule_student_fk` FOREIGN KEY (`student_id`) "
      "REFERENCES `auth_user` (`id`)";
  table.rows = model.users * kModulesPerUser;
  table.make = [model](RowWriter& out, int64_t row) {
    Random random = RowRandom(model, "courseware_studentmodule", row);
    int64_t user = row / kModulesPerUser;
    int64_t which = row % kModulesPerUser;
    int64_t course = CourseOfUser(model, user, which % 3);
    int64_t block = (which * 3 + user % 40) % kBlocksPerCourse;
    std::string_view type = BlockType(block);
    std::string state = StudentState(random, type, BlockHex(model, course, block));
    // Two learners drew a lot: rows of several megabytes between rows of some hundred bytes.
    if (row == 77 || row == 401) state = HugeState(random, HugeRowBytes(model));
    out.Int(row + 1).Text(type).Text(UsageKey(model, course, block)).Text(CourseKey(course));
    out.TextOrNull(!random.Percent(2), state);
    if (type == "problem") {
      out.Real(static_cast<double>(random.Below(7)) / 3.0).Real(2);
    } else {
      out.Null().Null();
    }
    out.Text("na").Text(SqlTime(random)).Text(SqlTime(random)).Int(user + 1);
  };
  return table;
}

Table BlockCompletion(const Model& model) {
  Table table;
  table.name = "completion_blockcompletion";
  table.create =
      "`created` datetime(6) NOT NULL, `modified` datetime(6) NOT NULL, "
      "`id` bigint NOT NULL AUTO_INCREMENT, `course_key` varchar(255) NOT NULL, "
      "`block_key` varchar(255) NOT NULL, `block_type` varchar(64) NOT NULL, "
      "`completion` double NOT NULL, `user_id` int NOT NULL, PRIMARY KEY (`id`)";
  table.finish =
      "ADD UNIQUE KEY `completion_course_block_user` (`course_key`,`block_key`,`user_id`), "
      "ADD KEY `completion_course_type_user` (`course_key`,`block_type`,`user_id`), "
      "ADD KEY `completion_user_course` (`user_id`,`course_key`,`modified`), "
      "ADD CONSTRAINT `completion_user_fk` FOREIGN KEY (`user_id`) REFERENCES `auth_user` (`id`)";
  table.rows = model.users * 30;
  table.make = [model](RowWriter& out, int64_t row) {
    Random random = RowRandom(model, "completion_blockcompletion", row);
    int64_t user = row / 30;
    int64_t course = CourseOfUser(model, user, row % 3);
    int64_t block = (row % 30 * 5 + user) % kBlocksPerCourse;
    std::string when = SqlTime(random);
    // Identifiers above 2^31, as a sequence has after years.
    out.Text(when).Text(when).Int(5000000000 + row * 2).Text(CourseKey(course));
    out.Text(UsageKey(model, course, block)).Text(BlockType(block)).Real(1).Int(user + 1);
  };
  return table;
}

Table Certificate(const Model& model) {
  Table table;
  table.name = "certificates_generatedcertificate";
  table.create =
      "`id` int NOT NULL AUTO_INCREMENT, `course_id` varchar(255) NOT NULL, "
      "`verify_uuid` varchar(32) NOT NULL, `download_url` varchar(128) NOT NULL, "
      "`grade` varchar(5) NOT NULL, `key` varchar(32) NOT NULL, `status` varchar(32) NOT NULL, "
      "`mode` varchar(32) NOT NULL, `name` varchar(255) NOT NULL, "
      "`created_date` datetime(6) NOT NULL, `error_reason` varchar(512) NOT NULL, "
      "`user_id` int NOT NULL, PRIMARY KEY (`id`)";
  table.finish =
      "ADD UNIQUE KEY `certificates_user_course` (`user_id`,`course_id`), "
      "ADD KEY `certificates_verify_uuid` (`verify_uuid`), "
      "ADD CONSTRAINT `certificates_user_fk` FOREIGN KEY (`user_id`) REFERENCES `auth_user` (`id`)";
  table.rows = model.users;
  table.make = [model](RowWriter& out, int64_t row) {
    Random random = RowRandom(model, "certificates_generatedcertificate", row);
    out.Int(row + 1).Text(CourseKey(CourseOfUser(model, row, 0))).Text(Hex(random, 32)).Text("");
    out.Text(fmt::format("0.{}", random.Below(100))).Text(Hex(random, 32));
    out.Text(random.Percent(90) ? "downloadable" : "notpassing").Text("honor");
    out.Text(GivenName(random) + " " + FamilyName(random)).Text(SqlTime(random)).Text("");
    out.Int(row + 1);
  };
  return table;
}

// A primary key of random text: neither ordered by time nor by number.
Table Session(const Model& model) {
  Table table;
  table.name = "django_session";
  table.create =
      "`session_key` varchar(40) NOT NULL, `session_data` longtext NOT NULL, "
      "`expire_date` datetime(6) NOT NULL, PRIMARY KEY (`session_key`)";
  table.finish = "ADD KEY `django_session_expire_date` (`expire_date`)";
  table.rows = model.users * 4;
  table.make = [model](RowWriter& out, int64_t row) {
    Random random = RowRandom(model, "django_session", row);
    out.Text(Hex(random, 24) + fmt::format("{:08x}", row));
    out.Text(".eJ" + Token(random, 150 + random.Below(500)) + ":1r" + Token(random, 48));
    out.Text(SqlTime(random));
  };
  return table;
}

}  // namespace

std::vector<Table> LearnerTables(const Model& model) {
  return {StudentModule(model), BlockCompletion(model), Session(model),    Enrollment(model),
          UserProfile(model),   AuthUser(model),        Certificate(model)};
}

}  // namespace sitegen
