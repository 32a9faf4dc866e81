#include "mysql_objects.h"

#include "mysql_zoo.h"

namespace sitegen {

void MakeOpenedxObjects(MysqlClient& client) {
  client.Execute(
      "CREATE VIEW `active_learners` AS SELECT `u`.`id`, `u`.`username`, count(0) AS `courses` "
      "FROM "
      "`auth_user` `u` JOIN `student_courseenrollment` `e` ON `e`.`user_id` = `u`.`id` WHERE "
      "`u`.`is_active` AND `e`.`is_active` GROUP BY `u`.`id`, `u`.`username`");
  client.Execute(
      "CREATE FUNCTION `grade_letter`(`g` double) RETURNS varchar(8) CHARSET utf8mb4 DETERMINISTIC "
      "NO SQL COMMENT 'it''s a \"letter\"' RETURN CASE WHEN `g` >= 0.9 THEN 'A' WHEN `g` IS NULL "
      "THEN "
      "'😶' ELSE 'Ж' END");
  // A view over a view and a function, with a name that sorts before both.
  client.Execute(
      "CREATE SQL SECURITY INVOKER VIEW `a_first_view` AS SELECT `username`, "
      "`grade_letter`(`courses` / 3) AS `letter` FROM `active_learners`");
  client.Execute(
      "CREATE VIEW `open_courses` AS SELECT * FROM `course_overviews_courseoverview` WHERE "
      "`self_paced` = 1 WITH LOCAL CHECK OPTION");
  client.Execute(
      "CREATE PROCEDURE `retire_user`(IN `who` int, OUT `done` int) MODIFIES SQL DATA BEGIN\n"
      "  -- A comment with a quote ' and a delimiter ;;\n  DECLARE `n` int DEFAULT 0;\n"
      "  /* another // one $$ */\n  UPDATE `auth_user` SET `is_active` = 0 WHERE `id` = `who`;\n"
      "  SET `done` = ROW_COUNT();\nEND");
  // Fired while rows are restored, each of these would change them.
  client.Execute(
      "CREATE TRIGGER `auth_user_before` BEFORE INSERT ON `auth_user` FOR EACH ROW SET "
      "NEW.`first_name` = CONCAT(NEW.`first_name`, '; fired')");
  client.Execute(
      "CREATE TRIGGER `studentmodule_before` BEFORE UPDATE ON `courseware_studentmodule` FOR EACH "
      "ROW "
      "BEGIN\n  IF NEW.`done` = 'fired' THEN\n    SET NEW.`state` = '{}';\n  END IF;\nEND");
  client.Execute(
      "CREATE TRIGGER `studentmodule_second` BEFORE UPDATE ON `courseware_studentmodule` FOR EACH "
      "ROW "
      "FOLLOWS `studentmodule_before` SET NEW.`done` = NEW.`done`");
  client.Execute(
      "CREATE EVENT `clear_sessions` ON SCHEDULE EVERY 1 DAY STARTS '2037-01-01 03:00:00' ON "
      "COMPLETION PRESERVE COMMENT 'nightly' DO DELETE FROM `django_session` WHERE `expire_date` < "
      "NOW()");
  client.Execute(
      "CREATE EVENT `disabled_event` ON SCHEDULE AT '2037-05-05 05:05:05' DISABLE DO SELECT 1");
}

void MakeOddObjects(MysqlClient& client) {
  client.Execute(
      "CREATE VIEW `view \"of\" ``numbers``` AS SELECT `t`, `g` AS `a``b` FROM `numbers`");
  // Each keeps the sql_mode and the charsets under which it was made.
  client.Execute("SET SESSION sql_mode = 'ANSI_QUOTES,PIPES_AS_CONCAT,NO_BACKSLASH_ESCAPES'");
  client.Execute(
      "CREATE FUNCTION \"odd \"\"function\"\"\"(a varchar(10)) RETURNS varchar(20) CHARSET utf8mb4 "
      "DETERMINISTIC NO SQL RETURN a || '\\' || 'x'");
  client.Execute(
      "CREATE TRIGGER \"odd trigger 測試\" AFTER DELETE ON \"latin1 table\" FOR EACH ROW SET @gone "
      "= "
      "OLD.\"name\" || '\\'");
  client.Execute("SET NAMES latin1");
  client.Execute("CREATE PROCEDURE latin1_procedure() NO SQL SELECT '\xE9\xFC' AS \"s\"");
  client.Execute("SET NAMES utf8mb4");
  client.Execute("SET SESSION sql_mode = 'NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES'");
}

}  // namespace sitegen
