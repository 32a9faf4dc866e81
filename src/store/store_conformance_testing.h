// What every store has to do, as one test suite. A store's own test file runs it:
//   INSTANTIATE_TEST_SUITE_P(Memory, StoreConformance, testing::Values(StoreFactory(…)));
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "store/store.h"

namespace oxbackup {

/// Makes empty stores. `make` is called once a test; what the store needs (a folder, a bucket) may
/// be kept alive by the deleter of the pointer.
class StoreFactory {
 public:
  // Defined in the .cc, so that a test which uses it links the suite.
  explicit StoreFactory(std::function<std::shared_ptr<Store>()> make);
  std::shared_ptr<Store> Make() const { return make_(); }
  // Part of the tests' names, which would hold addresses otherwise.
  friend void PrintTo(const StoreFactory&, std::ostream* out) { *out << "store"; }

 private:
  std::function<std::shared_ptr<Store>()> make_;
};

class StoreConformance : public testing::TestWithParam<StoreFactory> {
 protected:
  void SetUp() override { store_ = GetParam().Make(); }

  /// Writes a whole object and returns the name that it got.
  std::string Put(const std::vector<std::string>& names, std::string_view bytes);
  /// The whole content; the test fails when there is no such object.
  std::string Get(const ObjectId& id);
  std::vector<std::string> Names();
  /// "NAME CONTENT" or "NAME deleted" of all versions, in the order of ListVersions().
  std::vector<std::string> NamesAndContents();

  std::shared_ptr<Store> store_;
};

}  // namespace oxbackup
