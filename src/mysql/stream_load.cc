#include "mysql/stream_load.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "mysql/catalog.h"
#include "mysql/dump_script.h"
#include "mysql/member_path.h"
#include "mysql/quote.h"
#include "mysql/script_splitter.h"
#include "mysql/shadow_names.h"
#include "mysql/sql_lexer.h"

namespace oxbackup::mysql {
namespace {

constexpr uint64_t kQueueBytesPerWorker = uint64_t{4} << 20;
// mysqldump fills a statement up to net_buffer_length, a mebibyte by default, when rows are enough.
constexpr uint64_t kLargeInsertBytes = uint64_t{256} << 10;
constexpr std::string_view kObjectDelimiter = ";;oxb;;";

// In which charset and time zone the script wants its text to be read; nothing for other settings.
void ReadSettings(std::string_view text, LoadSettings& settings) {
  SqlLexer lexer(text);
  for (SqlToken token = lexer.Next(); token.kind != SqlToken::Kind::kEnd; token = lexer.Next()) {
    if (token.Is("NAMES")) {
      settings.charset = lexer.Next().Text();
    } else if (token.Is("TIME_ZONE")) {
      SqlToken value = lexer.Next();
      if (value.IsSymbol('=')) value = lexer.Next();
      if (value.kind == SqlToken::Kind::kString) settings.time_zone = QuoteString(value.Text());
    }
  }
}

}  // namespace

StreamLoad::StreamLoad(ArchiveReader& reader, ShadowSite& site, LoadCrew& crew, RecordBook& book,
                       const RunContext& run)
    : reader_(reader),
      site_(site),
      crew_(crew),
      book_(book),
      run_(run),
      queue_(kQueueBytesPerWorker * static_cast<uint64_t>(crew.size())),
      inserters_(run.stop) {}

void StreamLoad::Run() {
  const auto workers = static_cast<uint64_t>(crew_.size());
  const Reservation buffers = run_.budget.Take((workers + 1) * 2 * kQueueBytesPerWorker, run_.stop);
  run_.progress.Begin("mysql", "load", 0);
  for (uint64_t i = 0; i < workers; ++i) {
    inserters_.Run([this](const std::stop_token& stop) { RunInserts(stop); });
  }
  try {
    reader_.Read(
        [](const std::string& path) {
          return path == kScriptPath || ParseMemberPath(path).has_value();
        },
        [this](const MemberInfo& info, ByteSource& content) {
          if (info.type == MemberType::kFile) TakeMember(info, content);
        },
        1, run_);
  } catch (const Error& error) {
    // Push is cancelled when an inserter has failed; that one knows why.
    if (error.kind() == ErrorKind::kCancelled) {
      queue_.Close();
      inserters_.Wait();
    }
    throw;
  }
  queue_.Close();
  inserters_.Wait();
  Finish();
}

void StreamLoad::RunInserts(const std::stop_token& stop) {
  crew_.With([&](LoadSession& session) {
    while (std::optional<Job> job = queue_.Pop(stop)) {
      session.Insert(job->shadow, *job->table, job->settings, job->sql);
      NoteWarnings(session.session(), *job->table);
      run_.progress.Add("mysql", job->sql.size(), session.session().affected_rows(),
                        job->table->database + "." + job->table->name);
    }
  });
}

// Whether anybody has to hear of them is known at the end: an archive with a manifest has digests,
// which tell of a value that did not fit and was cut.
void StreamLoad::NoteWarnings(Session& session, const ShadowTable& table) {
  const uint64_t count = session.warning_count();
  if (count == 0) return;
  const Rows rows = session.Query("SHOW WARNINGS LIMIT 1");
  const std::lock_guard lock(mutex_);
  auto& [total, first] = changed_[table.database + "." + table.name];
  total += count;
  if (first.empty() && !rows.empty()) first = rows[0].at(2).value_or("");
}

void StreamLoad::WarnOfChangedValues() {
  if (reader_.manifest() != nullptr) return;
  for (const auto& [table, what] : changed_) {
    run_.warnings.Add(fmt::format("{}: the server changed values that it loaded ({}; first: {})",
                                  table, FormatCounted(what.first, "warning", "warnings"),
                                  what.second));
  }
}

void StreamLoad::Push(ShadowTable& table, std::string sql) {
  const uint64_t bytes = sql.size();
  Job job{&table, site_.FindDatabase(table.database)->shadow, settings_, std::move(sql)};
  queue_.Push(std::move(job), bytes, inserters_.stop_token());
}

void StreamLoad::CreateDatabase(const std::string& name) {
  const ShadowDatabase& database = *site_.FindDatabase(name);
  book_.CreateSchema(database.shadow, database.options);
}

void StreamLoad::CreateTable(ShadowTable& table, uint64_t first_bytes) {
  if (table.created) return;
  // Foreign keys can only be placed when all databases are known, and all keys are there.
  site_.CreateTable(book_.session(), table,
                    first_bytes >= kLargeInsertBytes ? Later::kIndexesToo : Later::kForeignKeys);
}

void StreamLoad::TakeMember(const MemberInfo& info, ByteSource& content) {
  if (info.path == kScriptPath) {
    if (!own_layout_) TakeScript(content);
    return;
  }
  own_layout_ = true;
  const MemberPath path = *ParseMemberPath(info.path);
  if (path.kind != MemberKind::kAccounts && !site_.Wants(path.database)) return;
  if (path.kind == MemberKind::kRows) {
    TakeRows(path, info.size, content);
    return;
  }
  site_.AddMember(path, ReadAll(content, kMaxDefinitionBytes));
  if (path.kind == MemberKind::kDatabase) CreateDatabase(path.database);
}

void StreamLoad::TakeRows(const MemberPath& path, uint64_t size, ByteSource& content) {
  ShadowTable* const table = site_.FindTable(path.database, path.name);
  if (table == nullptr) {
    throw Error(ErrorKind::kCorrupt, "the archive has rows of " + path.database + "." + path.name +
                                         " but not its definition");
  }
  CreateTable(*table, size);
  ScriptSplitter splitter(content);
  while (const auto statement = splitter.Next()) {
    // The chunk's settings are those that every session has.
    if (statement->starts_with("INSERT")) Push(*table, std::string(*statement));
  }
}

void StreamLoad::TakeScript(ByteSource& content) {
  // Without a word in the script its times are in the zone of the server that wrote it; the best
  // guess is that this one has the same.
  settings_.time_zone = "@@GLOBAL.time_zone";
  ForEachStatement(content, [this](std::string_view text) { TakeStatement(text); });
  if (skipped_system_tables_) {
    run_.warnings.Add(
        "the accounts in the old dump's own mysql tables were left out, since those tables differ "
        "between server versions: the present accounts stay");
  }
}

void StreamLoad::TakeStatement(std::string_view text) {
  Statement statement = Classify(text);
  if (statement.database.empty()) statement.database = database_;
  switch (statement.kind) {
    case StatementKind::kUse:
      database_ = statement.database;
      return;
    case StatementKind::kCreateDatabase:
      if (IsReservedName(statement.database)) {
        run_.warnings.Add("the database " + statement.database +
                          " of the dump is left out: restores keep such names for themselves");
      }
      if (!site_.Wants(statement.database)) return;
      site_.AddDatabase(statement.database, text);
      CreateDatabase(statement.database);
      return;
    case StatementKind::kSet:
      TakeSet(text);
      return;
    default:
      break;
  }
  if (statement.kind == StatementKind::kAccount) skipped_system_tables_ = true;
  if (statement.kind == StatementKind::kInsert && statement.database == "mysql" &&
      (statement.name == "user" || statement.name == "global_priv")) {
    skipped_system_tables_ = true;
  }
  const bool unwanted = !statement.database.empty() && !site_.Wants(statement.database);
  if (IsPassedOver(statement) || unwanted) return;
  RefuseUnplaceable(statement, text, site_.FindDatabase(statement.database) != nullptr);
  switch (statement.kind) {
    case StatementKind::kCreateTable:
      if (site_.FindTable(statement.database, statement.name) != nullptr) {
        RefuseSecondTable(statement);
      }
      site_.AddTable(statement.database, statement.name,
                     WithName(text, statement, QuoteName(statement.name)));
      pending_settings_.clear();
      return;
    case StatementKind::kInsert:
      TakeInsert(statement, text);
      return;
    case StatementKind::kCreateView:
      TakeObject(ObjectScript::Kind::kView, statement, text);
      return;
    case StatementKind::kCreateTrigger:
      TakeObject(ObjectScript::Kind::kTriggers, statement, text);
      return;
    default:
      TakeObject(ObjectScript::Kind::kPost, statement, text);
      return;
  }
}

void StreamLoad::TakeSet(std::string_view text) {
  if (text.find("@saved_time_zone") != std::string_view::npos) {
    // Around events, whose times are in the server's zone; rows of later databases are not.
    SqlLexer lexer(text);
    static_cast<void>(lexer.Next());
    if (lexer.Next().IsSymbol('@')) {
      saved_time_zone_ = settings_.time_zone;
    } else {
      settings_.time_zone = saved_time_zone_;
    }
    return;
  }
  ReadSettings(text, settings_);
  // mysqldump saves settings and brings them back around each object; each script of ours begins
  // with the defaults instead.
  if (text.find("@saved_") == std::string_view::npos &&
      text.find("@OLD_") == std::string_view::npos) {
    pending_settings_.emplace_back(text);
  }
}

void StreamLoad::TakeInsert(const Statement& statement, std::string_view text) {
  ShadowTable* const table = site_.FindTable(statement.database, statement.name);
  if (table == nullptr) {
    throw Error(ErrorKind::kCorrupt, "the dump has rows of " + statement.database + "." +
                                         statement.name + " but not its definition");
  }
  CreateTable(*table, text.size());
  pending_settings_.clear();
  Push(*table, WithName(text, statement, QuoteName(statement.name)));
}

void StreamLoad::TakeObject(ObjectScript::Kind kind, const Statement& statement,
                            std::string_view text) {
  std::string sql;
  for (const std::string& setting : pending_settings_) sql += setting + ";\n";
  pending_settings_.clear();
  sql += fmt::format("DELIMITER {0}\n{1}\n{0}\nDELIMITER ;\n", kObjectDelimiter, text);
  // A view's stand-in comes before the view itself.
  std::erase_if(site_.objects, [&](const ObjectScript& other) {
    return kind == ObjectScript::Kind::kView && other.kind == kind &&
           other.database == statement.database && other.name == statement.name;
  });
  site_.objects.push_back({kind, statement.database, statement.name, std::move(sql)});
}

void StreamLoad::Finish() {
  WarnOfChangedValues();
  const std::vector<ShadowTable*> tables = site_.Tables();
  crew_.ForEach(tables, [this](LoadSession& session, ShadowTable& table) {
    if (!table.created) site_.CreateTable(session.session(), table, Later::kForeignKeys);
  });
  run_.progress.Begin("mysql", "index", 0);
  crew_.ForEach(tables, [this](LoadSession& session, ShadowTable& table) {
    site_.BuildIndexes(session.session(), table);
  });
}

}  // namespace oxbackup::mysql
