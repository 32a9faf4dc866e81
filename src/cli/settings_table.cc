#include "cli/settings_table.h"

#include <algorithm>
#include <array>

namespace oxbackup {
namespace {

using Kind = SettingKind;

constexpr uint32_t kAll =
    kBackup | kRestore | kList | kInspect | kVerify | kExtract | kVersionCommand | kPrune;
constexpr uint32_t kReading = kRestore | kList | kInspect | kVerify | kExtract | kPrune;
constexpr uint32_t kOneArchive = kRestore | kInspect | kVerify | kExtract;
constexpr uint32_t kPlace = kBackup | kReading;
constexpr uint32_t kLive = kBackup | kRestore | kVerify;
constexpr uint32_t kRunning = kBackup | kRestore | kVerify | kExtract;
constexpr uint32_t kTold = kRunning | kPrune | kList;
constexpr uint32_t kNotified = kLive | kPrune;
constexpr uint32_t kMeasured = kNotified | kList;

constexpr std::array<Command, 8> kCommands = {{
    {kBackup, "backup", "copy the whole site into one archive",
     "Copies the components that are configured into one new archive. It appears under its name "
     "only when it is complete, and is then read back; an archive that is there "
     "already is never replaced. Without a --name it is called backup.YYYY-MM-DD.tar.xz.",
     "openedx-backup backup --to /backup --mysql-host mysql --mongodb-host mongodb"},
    {kRestore, "restore", "replace the live data by an archive's",
     "Loads the archive beside the live data, verifies it and then swaps it in. Asks before it "
     "replaces anything. Until the swap nothing live has changed, unless --in-place removes it "
     "first, after the archive was checked. Archives of the predecessor and of any tar program are "
     "restored too.",
     "openedx-backup restore --from /backup --date 2026-11-22"},
    {kList, "list", "show the archives of a place, newest first",
     "Shows the archives of a place, newest first, and which of them are damaged.",
     "openedx-backup list --from /backup"},
    {kInspect, "inspect", "show what is in an archive",
     "Shows what is in an archive, how large it is and how consistency was reached, from its "
     "manifest alone.",
     "openedx-backup inspect --from /backup --tables"},
    {kVerify, "verify", "check an archive, or a live site against it",
     "Reads every byte of an archive and compares it with the manifest's digests; with "
     "--against-live compares the running databases and folders with the archive instead.",
     "openedx-backup verify --from /backup"},
    {kExtract, "extract", "unpack an archive as mysqldump and mongodump would have written it",
     "Unpacks an archive into an empty folder: one SQL script, mongodump's layout with all parts "
     "joined, and the folders as they were.",
     "openedx-backup extract --from /backup --to /tmp/site"},
    {kPrune, "prune", "remove the archives that no rule keeps",
     "Keeps the newest archive of each of so many hours, days, weeks, months or years, and removes "
     "the others, after it has asked. An archive stays when any rule keeps it, and always: the "
     "newest complete one, one with a name that somebody chose, one beside which NAME.keep lies, "
     "one that is locked, and one that cannot be read.",
     "openedx-backup prune --from /backup --keep-daily 7 --keep-weekly 5 --keep-monthly 12"},
    {kVersionCommand, "version", "print the version",
     "Prints the version of the tool and of its format.", "openedx-backup version"},
}};

constexpr std::string_view kArchives = "Archives";
constexpr std::string_view kKeep = "What to keep";
constexpr std::string_view kWhat = "What to do";
constexpr std::string_view kMysql = "MySQL";
constexpr std::string_view kMongodb = "MongoDB";
constexpr std::string_view kFiles = "Files";
constexpr std::string_view kBucket = "S3";
constexpr std::string_view kWatching = "Monitoring";
constexpr std::string_view kRun = "Running";

constexpr Setting kSettings[] = {
    {"location", "to", "BACKUP_LOCATION", Kind::kPath, "DIR|s3://BUCKET[/FOLDER]", "",
     "folder or bucket for the new archive", kArchives, kBackup, true},
    {"location", "from", "BACKUP_LOCATION", Kind::kPath, "DIR|FILE|s3://BUCKET[/FOLDER][/FILE]", "",
     "folder or bucket of archives, or one archive; else the newest complete one is meant",
     kArchives, kReading, true},
    {"name", "name", "", Kind::kText, "NAME", "", "name of the new archive, instead of backup.DATE",
     kArchives, kBackup, false},
    {"name", "name", "", Kind::kText, "NAME", "",
     "the archive of this name, with or without suffix", kArchives, kOneArchive, false},
    {"date", "date", "", Kind::kText, "YYYY-MM-DD", "", "the newest complete archive of that day",
     kArchives, kOneArchive, false},
    {"version", "version", "", Kind::kText, "ID", "",
     "this version of an archive, in a bucket that keeps versions; also a deleted one", kArchives,
     kOneArchive, false},
    {"list-versions", "list-versions", "", Kind::kCountOrNone, "[=N]", "20",
     "the N newest versions of all archives, deleted ones too", kArchives, kList, false},
    {"target", "to", "", Kind::kPath, "DIR", "", "folder to unpack into; must be empty or new",
     kArchives, kExtract, false},
    {"compression", "compression", "BACKUP_COMPRESSION", Kind::kText, "xz[:0-9]|zstd[:1-19]|none",
     "xz", "codec and level", kArchives, kBackup, true},
    {"no-read-back", "no-read-back", "", Kind::kSwitch, "", "",
     "do not read the stored archive back", kArchives, kBackup, false},

    {"keep-last", "keep-last", "BACKUP_PRUNE_KEEP_LAST", Kind::kCount, "N", "",
     "keep the newest N archives", kKeep, kPrune, true},
    {"keep-hourly", "keep-hourly", "BACKUP_PRUNE_KEEP_HOURLY", Kind::kCount, "N", "",
     "keep the newest of each of the last N hours that have one", kKeep, kPrune, true},
    {"keep-daily", "keep-daily", "BACKUP_PRUNE_KEEP_DAILY", Kind::kCount, "N", "",
     "the same of days", kKeep, kPrune, true},
    {"keep-weekly", "keep-weekly", "BACKUP_PRUNE_KEEP_WEEKLY", Kind::kCount, "N", "",
     "the same of weeks, which begin on Monday", kKeep, kPrune, true},
    {"keep-monthly", "keep-monthly", "BACKUP_PRUNE_KEEP_MONTHLY", Kind::kCount, "N", "",
     "the same of months", kKeep, kPrune, true},
    {"keep-yearly", "keep-yearly", "BACKUP_PRUNE_KEEP_YEARLY", Kind::kCount, "N", "",
     "the same of years", kKeep, kPrune, true},
    {"keep-within", "keep-within", "BACKUP_PRUNE_KEEP_WITHIN", Kind::kText, "DURATION", "",
     "keep all that are at most so much older than the newest: 12h, 30d, 8w, 6m, 1y, 1y6m", kKeep,
     kPrune, true},
    {"damaged", "damaged", "", Kind::kSwitch, "", "", "remove damaged archives too", kKeep, kPrune,
     false},

    {"only", "only", "", Kind::kList, "COMPONENT", "",
     "only these: mysql, mongodb, caddy, media, config", kWhat, kRunning, false},
    {"exclude", "exclude", "", Kind::kList, "COMPONENT", "", "not these", kWhat, kRunning, false},
    {"dry-run", "dry-run", "", Kind::kSwitch, "", "", "only say what would be replaced", kWhat,
     kRestore, false},
    {"dry-run", "dry-run", "", Kind::kSwitch, "", "", "only say what would be removed", kWhat,
     kPrune, false},
    {"yes", "yes", "", Kind::kSwitch, "", "", "do not ask (needed without a terminal)", kWhat,
     kRestore | kPrune, false},
    {"keep-old", "keep-old", "", Kind::kSwitch, "", "",
     "keep what was replaced, so that --undo can bring it back", kWhat, kRestore, false},
    {"in-place", "in-place", "", Kind::kSwitch, "", "",
     "for want of room: remove the live data before the load; there is no undo", kWhat, kRestore,
     false},
    {"skip-applied", "skip-applied", "SKIP_APPLIED", Kind::kBool, "BOOL", "false",
     "do nothing when the site holds that very archive already", kWhat, kRestore, true},
    {"max-age", "max-age", "RESTORE_MAX_AGE", Kind::kText, "DURATION", "",
     "refuse an archive that was made longer ago: 12h, 2d, 8w, 1y", kWhat, kRestore, true},
    {"undo", "undo", "", Kind::kSwitch, "", "", "bring back what the last restore replaced", kWhat,
     kRestore, false},
    {"drop-old", "drop-old", "", Kind::kSwitch, "", "",
     "remove what --keep-old has kept; there is no way back then", kWhat, kRestore, false},
    {"tables", "tables", "", Kind::kSwitch, "", "", "all tables and collections, not the biggest",
     kWhat, kInspect, false},
    {"diff", "diff", "", Kind::kPair, "A B", "",
     "how much of archive B lies in blocks that A has too", kWhat, kInspect, false},
    {"quick", "quick", "", Kind::kSwitch, "", "", "index and manifest alone", kWhat, kVerify,
     false},
    {"against-live", "against-live", "", Kind::kSwitch, "", "",
     "compare the running site with the archive", kWhat, kVerify, false},

    {"mysql-host", "mysql-host", "MYSQL_HOST", Kind::kText, "HOST", "",
     "server; without host and socket MySQL is left out", kMysql, kLive, true},
    {"mysql-port", "mysql-port", "MYSQL_PORT", Kind::kCount, "PORT", "3306", "its port", kMysql,
     kLive, true},
    {"mysql-socket", "mysql-socket", "MYSQL_SOCKET", Kind::kPath, "PATH", "",
     "its Unix socket, instead of host and port", kMysql, kLive, true},
    {"mysql-user", "mysql-user", "MYSQL_ROOT_USERNAME", Kind::kText, "USER", "root", "account",
     kMysql, kLive, true},
    {"mysql-password", "mysql-password-file", "MYSQL_ROOT_PASSWORD", Kind::kSecret, "FILE", "",
     "file with the account's password", kMysql, kLive, true},
    {"mysql-tls", "mysql-tls", "MYSQL_TLS", Kind::kText, "disabled|preferred|required|verify",
     "preferred", "encryption; only verify checks the certificate", kMysql, kLive, true},
    {"mysql-ca-file", "mysql-ca-file", "MYSQL_CA_FILE", Kind::kPath, "FILE", "",
     "certificate authority; else the system's", kMysql, kLive, true},
    {"mysql-databases", "mysql-databases", "MYSQL_DATABASES", Kind::kList, "NAME", "",
     "only these databases; all but the server's own otherwise", kMysql, kBackup, true},
    {"mysql-readers", "mysql-readers", "MYSQL_READERS", Kind::kCount, "N", "4",
     "connections that read at once; 1 needs no lock", kMysql, kBackup, true},
    {"mysql-single-transaction", "mysql-single-transaction", "MYSQL_SINGLE_TRANSACTION",
     Kind::kBool, "BOOL", "true", "read everything as of one moment", kMysql, kBackup, true},
    {"mysql-flush-logs", "mysql-flush-logs", "MYSQL_FLUSH_LOGS", Kind::kBool, "BOOL", "true",
     "begin a new binary log with the run", kMysql, kBackup | kRestore, true},
    {"mysql-binlog", "mysql-binlog", "MYSQL_BINLOG", Kind::kBool, "BOOL", "false",
     "write what is loaded to the binary log, for replicas", kMysql, kRestore, true},

    {"mongodb-host", "mongodb-host", "MONGODB_HOST", Kind::kText, "HOST", "",
     "server, or a mongodb:// URI without password; without it MongoDB is left out", kMongodb,
     kLive, true},
    {"mongodb-port", "mongodb-port", "MONGODB_PORT", Kind::kCount, "PORT", "27017", "its port",
     kMongodb, kLive, true},
    {"mongodb-user", "mongodb-user", "MONGODB_USERNAME", Kind::kText, "USER", "",
     "account; none: without authentication", kMongodb, kLive, true},
    {"mongodb-password", "mongodb-password-file", "MONGODB_PASSWORD", Kind::kSecret, "FILE", "",
     "file with the account's password", kMongodb, kLive, true},
    {"mongodb-databases", "mongodb-databases", "MONGODB_DATABASES", Kind::kList, "NAME", "",
     "only these databases; all but the server's own otherwise", kMongodb, kBackup, true},
    {"mongodb-readers", "mongodb-readers", "MONGODB_READERS", Kind::kCount, "N", "4",
     "connections that read at once", kMongodb, kBackup, true},
    {"mongodb-write-lock", "mongodb-write-lock", "MONGODB_WRITE_LOCK", Kind::kBool, "BOOL", "false",
     "on a standalone server hold writers for seconds, so that all is of one moment", kMongodb,
     kBackup, true},
    {"mongodb-authentication-database", "mongodb-authentication-database",
     "MONGODB_AUTHENTICATION_DATABASE", Kind::kText, "NAME", "admin", "where the account lives",
     kMongodb, kLive, true},
    {"mongodb-authentication-mechanism", "mongodb-authentication-mechanism",
     "MONGODB_AUTH_MECHANISM", Kind::kText, "NAME", "", "how it authenticates; else as offered",
     kMongodb, kLive, true},
    {"mongodb-replica-set", "mongodb-replica-set", "MONGODB_REPLICA_SET", Kind::kText, "NAME", "",
     "name of the replica set", kMongodb, kLive, true},
    {"mongodb-tls", "mongodb-tls", "MONGODB_USE_SSL", Kind::kBool, "BOOL", "false",
     "connect with TLS", kMongodb, kLive, true},
    {"mongodb-ca-file", "mongodb-ca-file", "MONGODB_CA_FILE", Kind::kPath, "FILE", "",
     "certificate authority; else the system's", kMongodb, kLive, true},
    {"mongorestore-options", "mongorestore-options", "MONGORESTORE_ADDITIONAL_OPTIONS", Kind::kText,
     "OPTIONS", "", "mongorestore's options, as far as they apply", kMongodb, kRestore, true},

    {"caddy", "caddy", "BACKUP_CADDY", Kind::kPath, "DIR", "/caddy",
     "Caddy's data folder; left out when it is not there", kFiles, kLive, true},
    {"media", "media", "BACKUP_MEDIA", Kind::kList, "[NAME=]DIR", "",
     "a media folder; its name in the archive is NAME, else DIR's last part", kFiles, kLive, true},
    {"tutor-config", "tutor-config", "BACKUP_TUTOR_CONFIG", Kind::kPath, "FILE", "",
     "Tutor's config.yml", kFiles, kLive, true},

    {"s3-endpoint-url", "s3-endpoint-url", "S3_ENDPOINT_URL", Kind::kText, "URL", "",
     "address of the service; else AWS's of the region", kBucket, kPlace, true},
    {"s3-region", "s3-region", "S3_REGION_NAME", Kind::kText, "REGION", "",
     "region of the bucket; else AWS_REGION, the profile's, us-east-1", kBucket, kPlace, true},
    {"s3-bucket", "s3-bucket", "S3_BUCKET_NAME", Kind::kText, "BUCKET", "",
     "bucket, when no place is given or the place is s3://", kBucket, kPlace, true},
    {"s3-access-key", "s3-access-key-file", "S3_ACCESS_KEY", Kind::kSecret, "FILE", "",
     "file with the access key; without keys they are looked for as docs/s3.md says", kBucket,
     kPlace, true},
    {"s3-secret-access-key", "s3-secret-access-key-file", "S3_SECRET_ACCESS_KEY", Kind::kSecret,
     "FILE", "", "file with the secret key", kBucket, kPlace, true},
    {"s3-session-token", "s3-session-token-file", "S3_SESSION_TOKEN", Kind::kSecret, "FILE", "",
     "file with the session token of temporary keys", kBucket, kPlace, true},
    {"s3-profile", "s3-profile", "S3_PROFILE", Kind::kText, "NAME", "",
     "profile in AWS's credentials and config files", kBucket, kPlace, true},
    {"s3-addressing-style", "s3-addressing-style", "S3_ADDRESSING_STYLE", Kind::kText,
     "auto|path|virtual", "auto", "whether the bucket's name is in the path or in the host's name",
     kBucket, kPlace, true},
    {"s3-signature-version", "s3-signature-version", "S3_SIGNATURE_VERSION", Kind::kText, "s3v4|s3",
     "s3v4", "signature; s3 is version 2, for old servers", kBucket, kPlace, true},
    {"s3-use-ssl", "s3-use-ssl", "S3_USE_SSL", Kind::kBool, "BOOL", "true",
     "HTTPS, when the endpoint does not say http:// or https://", kBucket, kPlace, true},
    {"s3-ca-file", "s3-ca-file", "S3_CA_FILE", Kind::kPath, "FILE", "",
     "certificate authority; else AWS_CA_BUNDLE, the system's", kBucket, kPlace, true},
    {"s3-request-checksum-calculation", "s3-request-checksum-calculation",
     "S3_REQUEST_CHECKSUM_CALCULATION", Kind::kText, "when_required|when_supported",
     "when_required", "whether parts carry a SHA-256 beside Content-MD5 and the signature's",
     kBucket, kBackup, true},
    {"s3-sse", "s3-sse", "S3_SSE", Kind::kText, "none|AES256|aws:kms", "none",
     "encryption by the server, with its keys or a key service's", kBucket, kBackup, true},
    {"s3-sse-kms-key-id", "s3-sse-kms-key-id", "S3_SSE_KMS_KEY_ID", Kind::kText, "ID", "",
     "key of aws:kms; else the account's own", kBucket, kBackup, true},
    {"s3-sse-customer-key", "s3-sse-customer-key-file", "S3_SSE_CUSTOMER_KEY", Kind::kSecret,
     "FILE", "", "file with a key of 32 bytes in Base64 that the server encrypts with (SSE-C)",
     kBucket, kPlace, true},
    {"s3-storage-class", "s3-storage-class", "S3_STORAGE_CLASS", Kind::kText, "CLASS", "",
     "storage class of the archive", kBucket, kBackup, true},
    {"s3-object-lock-mode", "s3-object-lock-mode", "S3_OBJECT_LOCK_MODE", Kind::kText,
     "GOVERNANCE|COMPLIANCE", "", "nobody can remove the archive before its time", kBucket, kBackup,
     true},
    {"s3-object-lock-days", "s3-object-lock-days", "S3_OBJECT_LOCK_DAYS", Kind::kCount, "DAYS", "",
     "how long, from the backup's begin on", kBucket, kBackup, true},
    {"s3-tags", "s3-tag", "S3_TAGS", Kind::kList, "NAME=VALUE", "", "a tag of the archive", kBucket,
     kBackup, true},

    {"summary-file", "summary-file", "SUMMARY_FILE", Kind::kPath, "FILE", "",
     "file for a summary of the run as JSON, written at its end whatever that is", kWatching, kTold,
     true},
    {"metrics-file", "metrics-file", "METRICS_FILE", Kind::kPath, "FILE.prom", "",
     "file of metrics for node_exporter's textfile collector", kWatching, kMeasured, true},
    {"metrics-pushgateway-url", "metrics-pushgateway-url-file", "METRICS_PUSHGATEWAY_URL",
     Kind::kSecret, "FILE", "", "file with the address of a Prometheus Pushgateway", kWatching,
     kMeasured, true},
    {"metrics-labels", "metrics-label", "METRICS_LABELS", Kind::kList, "NAME=VALUE", "",
     "a label of all metrics", kWatching, kMeasured, true},
    {"ping-url", "ping-url-file", "PING_URL", Kind::kSecret, "FILE", "",
     "file with an address that is called at start, success and failure, as healthchecks.io has "
     "it; "
     "{command} in it is the command's name",
     kWatching, kNotified, true},
    {"webhook-url", "webhook-url-file", "WEBHOOK_URL", Kind::kSecret, "FILE", "",
     "file with an address that gets the same as JSON", kWatching, kNotified, true},
    {"warnings-as-success", "warnings-as-success", "WARNINGS_AS_SUCCESS", Kind::kBool, "BOOL",
     "false", "end with 0 instead of 3, for schedulers that know no warnings", kWatching, kTold,
     true},

    {"config", "config", "", Kind::kPath, "FILE", "", "settings file (TOML)", kRun, kAll, false},
    {"memory", "memory", "BACKUP_MEMORY", Kind::kSize, "SIZE", "256MiB",
     "memory for data on their way, 64MiB or more", kRun, kRunning, true},
    {"threads", "threads", "BACKUP_THREADS", Kind::kCount, "N", "",
     "threads that compress or decompress; else one a processor", kRun,
     kBackup | kRestore | kVerify, true},
    {"json", "json", "", Kind::kSwitch, "", "", "print one JSON object at the end", kRun, kAll,
     false},
    {"progress", "progress", "", Kind::kText, "auto|bar|lines|json|none", "auto",
     "how progress is shown; auto: a bar on a terminal, lines otherwise", kRun, kRunning, true},
    {"progress-interval", "progress-interval", "", Kind::kText, "SECONDS", "10",
     "time between lines or JSON objects of progress", kRun, kRunning, true},
    {"log-format", "log-format", "LOG_FORMAT", Kind::kText, "text|json", "text", "form of the log",
     kRun, kAll, true},
    {"log-level", "log-level", "LOG_LEVEL", Kind::kText, "debug|info|warning|error", "",
     "least level that is logged; else info, warning beside a progress bar", kRun, kAll, true},
};

}  // namespace

std::string PlaceholderBehindFlag(const Setting& setting) {
  const bool separate = setting.kind != SettingKind::kCountOrNone && !setting.placeholder.empty();
  return (separate ? " " : "") + std::string(setting.placeholder);
}

std::span<const Command> Commands() { return kCommands; }
std::span<const Setting> Settings() { return kSettings; }

const Setting* FindSetting(CommandBit command, std::string_view id) {
  for (const Setting& setting : kSettings) {
    if (setting.id == id && (setting.commands & command) != 0) return &setting;
  }
  return nullptr;
}

const Command* FindCommand(std::string_view name) {
  const auto found = std::find_if(kCommands.begin(), kCommands.end(),
                                  [&](const Command& command) { return command.name == name; });
  return found == kCommands.end() ? nullptr : &*found;
}

}  // namespace oxbackup
