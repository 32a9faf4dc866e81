// Keeps the helper library linkable whatever set of *_testing.cc files there is.
namespace oxbackup::testing_anchor {
void Anchor();
void Anchor() {}
}  // namespace oxbackup::testing_anchor
