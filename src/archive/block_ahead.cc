#include "archive/block_ahead.h"

#include <algorithm>
#include <utility>

#include "base/error.h"

namespace oxbackup {

std::string FetchBlock(const RangedSource& source, const ArchiveLayout& layout, size_t block) {
  std::string stored(static_cast<size_t>(layout.manifest().blocks[block].stored_size), '\0');
  source.ReadAt(layout.stored_begin(block), stored.data(), stored.size());
  return stored;
}

BlockAhead::BlockAhead(const RangedSource& source, const ArchiveLayout& layout,
                       const std::vector<std::vector<size_t>>& works, size_t readers, size_t most)
    : source_(source), layout_(layout), works_(works), most_(most), places_(readers) {}

std::optional<size_t> BlockAhead::NextWork(size_t reader) {
  const std::lock_guard lock(mutex_);
  Place& place = places_[reader];
  if (next_work_ == works_.size()) {
    NoteBegin(place);
    return std::nullopt;
  }
  place.work = next_work_;
  place.at = 0;
  return next_work_++;
}

std::string BlockAhead::Take(size_t reader, size_t block, const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  Place& place = places_[reader];
  const std::vector<size_t>& blocks = works_[place.work.value()];
  place.at = static_cast<size_t>(std::ranges::find(blocks, block) - blocks.begin()) + 1;
  NoteBegin(place);
  const auto found = ahead_.find(block);
  if (found == ahead_.end()) {
    lock.unlock();
    return FetchBlock(source_, layout_, block);
  }
  if (!changed_.wait(lock, stop, [&] { return found->second.ready; })) throw CancelledError();
  Fetched fetched = std::move(found->second);
  ahead_.erase(found);
  changed_.notify_all();
  lock.unlock();
  if (fetched.error) std::rethrow_exception(fetched.error);
  return std::move(fetched.bytes);
}

// Plays the readers on, block by block in turn, each with the next piece of work when it is through
// with its own, up to the first block that nobody has or fetches.
std::optional<size_t> BlockAhead::NextToFetch() const {
  std::vector<Place> places = places_;
  size_t next_work = next_work_;
  for (bool any = true; any;) {
    any = false;
    for (Place& place : places) {
      if (!place.work || place.at >= works_[*place.work].size()) {
        if (next_work == works_.size()) continue;
        place = {.work = next_work++, .at = 0};
      }
      any = true;
      const size_t block = works_[*place.work][place.at++];
      if (!ahead_.contains(block)) return block;
    }
  }
  return std::nullopt;
}

void BlockAhead::NoteBegin(Place& place) {
  if (place.begun) return;
  place.begun = true;
  changed_.notify_all();
}

void BlockAhead::AwaitReaders(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, stop, [&] { return std::ranges::all_of(places_, &Place::begun); });
}

void BlockAhead::Run(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (changed_.wait(lock, stop, [&] { return ahead_.size() < most_; })) {
    const std::optional<size_t> block = NextToFetch();
    if (!block) return;
    // Stays where it is until a reader takes it, which waits until it is ready.
    Fetched& fetched = ahead_[*block];
    lock.unlock();
    std::string bytes;
    std::exception_ptr error;
    try {
      bytes = FetchBlock(source_, layout_, *block);
    } catch (...) {
      error = std::current_exception();
    }
    lock.lock();
    fetched.bytes = std::move(bytes);
    fetched.error = error;
    fetched.ready = true;
    changed_.notify_all();
  }
}

}  // namespace oxbackup
