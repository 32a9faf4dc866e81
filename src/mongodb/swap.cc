#include "mongodb/swap.h"

#include <fmt/format.h>

#include <chrono>
#include <set>
#include <utility>

#include "base/error.h"
#include "mongodb/copy_collection.h"

namespace oxbackup::mongodb {
namespace {

Bson RenameCommand(const std::string& database, const std::string& from, const std::string& to) {
  return Bson().Add("renameCollection", database + "." + from).Add("to", database + "." + to);
}

// Codes with which servers refuse applyOps as a whole, before any of it is done.
bool RefusedAsAWhole(int code) {
  // 40324 and 303 are Amazon DocumentDB's and MongoDB's "not in this API or edition".
  static const std::set<int> codes = {kUnauthorized,
                                      kCommandNotFound,
                                      kCommandNotSupported,
                                      kNotImplemented,
                                      kBadValue,
                                      kFailedToParse,
                                      303,
                                      40324};
  return codes.contains(code);
}

// What a mongod calls a collection that was in the way of an applyOps' rename (measured).
bool IsSetAside(std::string_view name) {
  return name.starts_with("tmp") && name.ends_with(".rename");
}

bool Has(const std::map<std::string, LiveEntry>& names, const std::string& name) {
  return !name.empty() && names.contains(name);
}

bool HasCopies(const SwapCopy& copy, const std::map<std::string, LiveEntry>& names) {
  return (copy.restored.empty() || Has(names, copy.restored)) &&
         (copy.old.empty() || Has(names, copy.old));
}

// The move's name for strays; where that is taken, one with a number in it.
std::string FreeStray(const SwapMove& move, const std::map<std::string, LiveEntry>& names) {
  std::string free = move.stray;
  const std::string stem = move.stray.substr(0, move.stray.size() - kStraySuffix.size());
  for (int number = 2; names.contains(free); ++number) {
    free = fmt::format("{}__{}{}", stem, number, kStraySuffix);
  }
  return free;
}

}  // namespace

Swapper::Live Swapper::Look(const SwapRecord& record) {
  Live live;
  for (const SwapMove& move : record.moves) {
    const auto [entry, first] = live.try_emplace(move.database);
    if (first) entry->second = ListLive(session_, move.database);
  }
  for (const SwapCopy& copy : record.copies) {
    const auto [entry, first] = live.try_emplace(copy.database);
    if (first) entry->second = ListLive(session_, copy.database);
  }
  return live;
}

void Swapper::CheckUntouched(const SwapRecord& record) {
  const Live live = Look(record);
  const auto changed = [](const SwapMove& move, const char* what) {
    return Error(ErrorKind::kSource,
                 fmt::format("{} {} while the restore was running", move.ns(), what))
        .Hint("run the restore again");
  };
  CheckCopies(record, live);
  for (const SwapMove& move : record.moves) {
    const auto& names = live.at(move.database);
    const auto now = names.find(move.name);
    const bool expected = !move.old.empty() || move.old_view;
    if (expected != (now != names.end())) {
      throw changed(move, expected ? "disappeared" : "was created");
    }
    if (now != names.end()) {
      const bool same_kind = now->second.view() == move.old_view.has_value();
      const bool same_uuid =
          !move.old_uuid || !now->second.uuid || now->second.uuid == move.old_uuid;
      if (!same_kind || !same_uuid) throw changed(move, "was replaced by another one");
    }
    if (!move.restored.empty()) {
      const auto coming = names.find(move.restored);
      if (coming == names.end() ||
          (move.restored_uuid && coming->second.uuid != move.restored_uuid)) {
        throw changed(move, "lost the collection that was loaded for it");
      }
    }
    if (Has(names, move.old)) {
      throw Error(ErrorKind::kSource,
                  fmt::format("{}.{} is in the way of the swap", move.database, move.old))
          .Hint("it is left over from an earlier restore: drop or rename it, then run again");
    }
  }
}

void Swapper::CheckCopies(const SwapRecord& record, const Live& live) {
  for (const SwapCopy& copy : record.copies) {
    const auto& names = live.at(copy.database);
    if (HasCopies(copy, names) && Has(names, copy.name) == !copy.old.empty()) continue;
    throw Error(ErrorKind::kSource, fmt::format("{}.{} or its copies changed while the restore was "
                                                "running",
                                                copy.database, copy.name))
        .Hint("run the restore again");
  }
}

// What a move still needs shows in which of its names exist. Forward, the live collection goes out
// to `old` and `restored` comes in; backward the other way round. A live collection goes only while
// what comes in still waits: else the move is at its end, even when its leftovers are dropped
// already.
void Swapper::AddChanges(const SwapMove& move, const Names& names, SwapDirection direction,
                         std::vector<Change>& changes) {
  const bool forward = direction == SwapDirection::kForward;
  const std::string& out = forward ? move.old : move.restored;
  const std::string& in = forward ? move.restored : move.old;
  const auto& out_view = forward ? move.old_view : move.new_view;
  const auto& in_view = forward ? move.new_view : move.old_view;
  const auto& out_uuid = forward ? move.old_uuid : move.restored_uuid;
  const auto rename = [&](const std::string& from, const std::string& to) {
    changes.push_back({move.database, RenameCommand(move.database, from, to),
                       fmt::format("rename {0}.{1} to {0}.{2}", move.database, from, to)});
  };
  const auto now = names.find(move.name);
  bool occupied = now != names.end();
  const bool in_waits = Has(names, in);
  if (occupied && now->second.view()) {
    // The old definition came from the server's own listing, so it can be compared.
    const bool is_old = move.old_view && now->second.options.bytes() == move.old_view->bytes();
    if (!out_view || (in_view && is_old != forward)) return;
    changes.push_back(
        {move.database, Bson().Add("drop", move.name), fmt::format("drop the view {}", move.ns())});
    occupied = false;
  } else if (occupied) {
    const bool is_out = !out.empty() && !Has(names, out) &&
                        (!out_uuid || !now->second.uuid || now->second.uuid == out_uuid);
    if (is_out && (in_waits || in.empty())) {
      rename(move.name, out);
      occupied = false;
    } else if (in_waits || in_view) {
      // Neither what goes nor what comes: writers made it in the gap of a swap one by one.
      rename(move.name, FreeStray(move, names));
      occupied = false;
    }
  }
  if (occupied) return;
  if (in_waits) rename(in, move.name);
  if (in_view) {
    Bson create = Bson().Add("create", move.name);
    create.Append(in_view->bytes());
    changes.push_back(
        {move.database, std::move(create), fmt::format("create the view {}", move.ns())});
  }
}

std::vector<Swapper::Change> Swapper::Changes(const SwapRecord& record, SwapDirection direction) {
  const Live live = Look(record);
  std::vector<Change> changes;
  for (const SwapMove& move : record.moves) {
    AddChanges(move, live.at(move.database), direction, changes);
  }
  return changes;
}

SwapOutcome Swapper::Carry(const SwapRecord& record, SwapDirection direction, bool one_step) {
  SwapOutcome outcome;
  const Live before = Look(record);
  const auto begin = std::chrono::steady_clock::now();
  if (!one_step || !MoveAtOnce(record, direction, outcome)) {
    outcome.one_step = false;
    MoveOneByOne(record, direction);
  }
  CopyInto(record, direction);
  if (!record.copies.empty() && outcome.why_not.empty()) {
    outcome.one_step = false;
    outcome.why_not = fmt::format("{}.{} cannot be renamed", record.copies.front().database,
                                  record.copies.front().name);
  }
  outcome.milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(
                             std::chrono::steady_clock::now() - begin)
                             .count();
  const Live after = Look(record);
  CheckArrived(record, direction, after);
  outcome.strays = Strays(record, before, after);
  return outcome;
}

// True when everything is in its place without a mixture having been seen. What a reply says counts
// only as far as the names and UUIDs say the same: an operation without a source is silently
// passed over.
bool Swapper::MoveAtOnce(const SwapRecord& record, SwapDirection direction, SwapOutcome& outcome) {
  for (const bool nested : {false, true}) {
    const std::vector<Change> changes = Changes(record, direction);
    if (changes.empty()) return true;
    const Reply reply = ApplyAtOnce(changes, nested);
    if (reply.ok()) {
      if (Changes(record, direction).empty()) {
        outcome.why_not.clear();
        outcome.lacks_right = false;
        return true;
      }
      outcome.why_not = "it answered that it had, and some had not moved";
      return false;
    }
    if (!RefusedAsAWhole(reply.failure->code)) {
      throw reply.failure->ToError("MongoDB broke the swap off")
          .Hint("the next restore finishes it, restore --undo takes it back");
    }
    if (!nested) {
      outcome.why_not = reply.failure->message;
      outcome.lacks_right = reply.failure->code == kUnauthorized;
    }
    if (!outcome.lacks_right) return false;
  }
  return false;
}

// An applyOps with several commands is refused to all but those with anyAction on anyResource, root
// included where there is authentication. By the server's source that rule is about several
// commands side by side: `nested` puts each into an applyOps of its own, which is then judged by
// its own right, and the outer one still holds the global lock. This form was never run on a real
// server, so it is tried second, and what it did is looked at.
Reply Swapper::ApplyAtOnce(const std::vector<Change>& changes, bool nested) {
  Bson operations;
  for (size_t at = 0; at < changes.size(); ++at) {
    Bson operation = Bson()
                         .Add("op", "c")
                         .Add("ns", changes[at].database + ".$cmd")
                         .Add("o", changes[at].command);
    if (nested) {
      const Bson inner = Bson().AddArray("applyOps", Bson().Add("0", operation));
      operation = Bson().Add("op", "c").Add("ns", "admin.$cmd").Add("o", inner);
    }
    operations.Add(std::to_string(at), operation);
  }
  Step(nested ? "apply all renames at once, each by its own right" : "apply all renames at once");
  return session_.TryRun("admin", Bson().AddArray("applyOps", operations));
}

void Swapper::MoveOneByOne(const SwapRecord& record, SwapDirection direction) {
  // A busy site makes a collection anew as soon as it misses it, perhaps several times.
  constexpr int kTries = 100;
  for (int attempt = 1;; ++attempt) {
    bool in_the_way = false;
    for (const Change& change : Changes(record, direction)) {
      Step(change.text);
      const Element first = FieldWalker(change.command.bytes()).Next().value();
      const bool rename = first.key == "renameCollection";
      const Reply reply = session_.TryRun(rename ? "admin" : change.database, change.command);
      if (reply.ok()) continue;
      in_the_way = reply.failure->code == kNamespaceExists && attempt < kTries;
      if (!in_the_way) {
        throw reply.failure->ToError("MongoDB does not " + change.text)
            .Hint("the next restore finishes the swap, restore --undo takes it back");
      }
      break;
    }
    if (!in_the_way) return;
  }
}

// The copies are dropped only when everything is at its end.
void Swapper::CopyInto(const SwapRecord& record, SwapDirection direction) {
  if (record.copies.empty()) return;
  const Live live = Look(record);
  for (const SwapCopy& copy : record.copies) {
    if (!HasCopies(copy, live.at(copy.database))) continue;
    Step(fmt::format("copy into {}.{}", copy.database, copy.name));
    CopyCollection(session_, copy.database,
                   direction == SwapDirection::kForward ? copy.restored : copy.old, copy.name);
  }
}

// Strays of a run that died count too; what a server set aside by itself only when it is new, since
// its name does not say whose it is.
std::vector<std::string> Swapper::Strays(const SwapRecord& record, const Live& before,
                                         const Live& after) {
  std::set<std::string> strays;
  for (const SwapMove& move : record.moves) {
    const std::string stem = move.stray.substr(0, move.stray.size() - kStraySuffix.size());
    for (const auto& [name, entry] : after.at(move.database)) {
      const bool new_here = !before.at(move.database).contains(name);
      const bool ours = name == move.stray ||
                        (new_here && name.starts_with(stem + "__") && name.ends_with(kStraySuffix));
      if (ours || (new_here && IsSetAside(name))) strays.insert(move.database + "." + name);
    }
  }
  return {strays.begin(), strays.end()};
}

void Swapper::CheckArrived(const SwapRecord& record, SwapDirection direction, const Live& live) {
  const bool forward = direction == SwapDirection::kForward;
  for (const SwapMove& move : record.moves) {
    const auto& names = live.at(move.database);
    const std::string& out = forward ? move.old : move.restored;
    const std::string& in = forward ? move.restored : move.old;
    const bool comes = !in.empty() || (forward ? move.new_view : move.old_view).has_value();
    const auto& in_uuid = forward ? move.restored_uuid : move.old_uuid;
    const auto& out_uuid = forward ? move.old_uuid : move.restored_uuid;
    const auto now = names.find(move.name);
    const bool there = now != names.end();
    const auto is = [&](const std::optional<Uuid>& uuid) {
      return !uuid || !now->second.uuid || now->second.uuid == uuid;
    };
    // Where nothing comes in, the site may have made a new one by now.
    const bool right =
        comes ? there && is(in_uuid) && !Has(names, in) : !there || (out_uuid && !is(out_uuid));
    const bool kept = !forward || out.empty() || Has(names, out);
    if (right && kept) continue;
    throw Error(ErrorKind::kSource,
                fmt::format("after the swap {} is not what it should be", move.ns()))
        .Hint("somebody else renamed or dropped collections meanwhile; see what is in " +
              move.database + " and run restore --undo");
  }
}

bool Swapper::AllIn(const SwapRecord& record) {
  const Live live = Look(record);
  for (const SwapMove& move : record.moves) {
    if (Has(live.at(move.database), move.restored)) return false;
  }
  return true;
}

size_t Swapper::CountDone(const SwapRecord& record) {
  const Live live = Look(record);
  size_t done = 0;
  for (const SwapMove& move : record.moves) {
    std::vector<Change> changes;
    AddChanges(move, live.at(move.database), SwapDirection::kForward, changes);
    done += changes.empty() ? 1 : 0;
  }
  return done;
}

void Swapper::DropOld(const SwapRecord& record) {
  for (const SwapMove& move : record.moves) {
    if (move.old.empty()) continue;
    Step(fmt::format("drop {}.{}", move.database, move.old));
    DropCollection(session_, move.database, move.old);
  }
  DropCopies(record);
}

void Swapper::DropRestored(const SwapRecord& record) {
  for (const SwapMove& move : record.moves) {
    if (move.restored.empty()) continue;
    Step(fmt::format("drop {}.{}", move.database, move.restored));
    DropCollection(session_, move.database, move.restored);
  }
  DropCopies(record);
}

void Swapper::DropCopy(const std::string& database, const std::string& name) {
  if (name.empty()) return;
  Step(fmt::format("drop {}.{}", database, name));
  DropCollection(session_, database, name);
}

void Swapper::DropCopies(const SwapRecord& record) {
  for (const SwapCopy& copy : record.copies) {
    DropCopy(copy.database, copy.old);
    DropCopy(copy.database, copy.restored);
  }
}

void Swapper::DropLoadedCopies(const SwapRecord& record) {
  for (const SwapCopy& copy : record.copies) DropCopy(copy.database, copy.restored);
}

void Swapper::KeepCopy(const SwapCopy& copy) {
  if (!copy.old.empty()) CopyCollection(session_, copy.database, copy.name, copy.old);
}

}  // namespace oxbackup::mongodb
