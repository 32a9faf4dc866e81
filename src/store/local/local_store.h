// Archives as files in one folder.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "store/store.h"

namespace oxbackup {

/// Objects are the regular files of a folder whose names are plain. An object is written to a
/// hidden file beside the others (store/local/partial_file.h), synced, given its name without
/// replacing anything, and the folder synced: so it is there whole or not at all, also after a kill
/// -9, a full disk or a power cut. Files are created with mode 0600, since archives hold secrets.
class LocalStore final : public Store {
 public:
  /// The folder must exist; it is not looked at before the first call, and never created.
  explicit LocalStore(std::filesystem::path folder) : folder_(std::move(folder)) {}

  /// Removes leftovers of dead writers first.
  std::unique_ptr<ObjectWriter> Create(const std::vector<std::string>& names) override;
  std::unique_ptr<RangedSource> Open(const ObjectId& id) override;
  std::vector<ObjectInfo> List() override;
  std::optional<ObjectInfo> Stat(const ObjectId& id) override;
  bool Remove(const ObjectId& id) override;
  std::string Location() const override { return folder_.string(); }

 private:
  const std::filesystem::path folder_;
};

}  // namespace oxbackup
