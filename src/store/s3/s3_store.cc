#include "store/s3/s3_store.h"

#include <algorithm>
#include <mutex>

#include "base/version.h"
#include "store/object_name.h"
#include "store/s3/bucket.h"
#include "store/s3/object_source.h"
#include "store/s3/upload.h"

namespace oxbackup::s3 {
namespace {

HttpOptions OptionsOf(const Settings& settings, const Environment& environment) {
  HttpOptions options;
  options.ca_file = settings.ca_file;
  if (options.ca_file.empty()) options.ca_file = environment("AWS_CA_BUNDLE").value_or("");
  options.user_agent = std::string("openedx-backup/") + kVersion;
  return options;
}

// Services beside this machine or none at all: they answer at once or not.
HttpOptions LocalOptions() {
  HttpOptions options;
  options.use_proxy = false;
  options.connect_timeout = std::chrono::milliseconds(1000);
  return options;
}

std::string RegionOf(const Settings& settings, const Environment& environment) {
  const std::string region = FindRegion(settings.credentials, environment);
  return region.empty() ? "us-east-1" : region;
}

class S3Store final : public Store {
 public:
  S3Store(const Settings& settings, const std::string& bucket, const std::string& folder,
          const Environment& environment, const RunContext& run)
      : http_(MakeHttpClient(OptionsOf(settings, environment))),
        local_http_(MakeHttpClient(LocalOptions())),
        credentials_(MakeCredentialSource(settings.credentials, environment, *http_, *local_http_,
                                          run.clock, run.log)),
        retrier_({}, MakeRetryWaiter(), run.log),
        client_(settings, bucket, RegionOf(settings, environment), *http_, *credentials_, retrier_,
                run),
        bucket_(client_, folder.empty() ? "" : folder + "/") {}

  std::unique_ptr<ObjectWriter> Create(const std::vector<std::string>& names) override {
    CheckObjectNames(names);
    return BeginArchive(bucket_, names, AskVersioning());
  }

  std::unique_ptr<RangedSource> Open(const ObjectId& id) override {
    return IsPlainObjectName(id.name) ? OpenObject(bucket_, id) : nullptr;
  }

  std::vector<ObjectInfo> List() override { return Listed(false); }

  std::vector<ObjectInfo> ListVersions() override {
    std::vector<ObjectInfo> objects = Listed(KeepsVersions());
    // One after the other of a name as the server has them: newest first.
    std::ranges::stable_sort(objects, {}, &ObjectInfo::name);
    return objects;
  }

  std::optional<ObjectInfo> Stat(const ObjectId& id) override {
    if (!IsPlainObjectName(id.name)) return std::nullopt;
    const std::optional<ObjectHead> head = bucket_.Head(id);
    if (!head) return std::nullopt;
    ObjectInfo info;
    static_cast<ObjectId&>(info) = head->id;
    info.size = head->size;
    info.modified = head->modified;
    return info;
  }

  bool Remove(const ObjectId& id) override {
    // A DELETE of nothing is a success too.
    if (!IsPlainObjectName(id.name)) return false;
    // Without a version only the tag tells whether the name still means that object.
    const bool by_tag = id.version.empty() && !id.etag.empty();
    if (by_tag ? !bucket_.Head(id) : !bucket_.Exists(id)) return false;
    bucket_.Remove(id);
    return true;
  }

  ObjectLock LockOf(const ObjectId& id) override {
    const std::optional<ObjectHead> head = bucket_.Head(id);
    return head ? head->lock : ObjectLock{};
  }

  bool KeepsVersions() override { return AskVersioning() != Versioning::kNone; }

  std::optional<std::string> FreeName(const std::vector<std::string>& names) override {
    const Versioning versioning = AskVersioning();
    for (const std::string& name : names) {
      if (!bucket_.IsTaken(name, versioning)) return name;
    }
    return std::nullopt;
  }

  std::string Location() const override { return bucket_.Location(); }

 private:
  Versioning AskVersioning() {
    std::call_once(asked_, [this] { versioning_ = bucket_.LookAtVersioning(); });
    return versioning_;
  }

  std::vector<ObjectInfo> Listed(bool versions) const {
    std::vector<ObjectInfo> objects = bucket_.List(versions);
    std::erase_if(objects,
                  [](const ObjectInfo& object) { return !IsPlainObjectName(object.name); });
    return objects;
  }

  const std::unique_ptr<HttpClient> http_;
  const std::unique_ptr<HttpClient> local_http_;
  const std::unique_ptr<CredentialSource> credentials_;
  Retrier retrier_;
  Client client_;
  const Bucket bucket_;
  std::once_flag asked_;
  Versioning versioning_ = Versioning::kNone;  // written once, under asked_
};

}  // namespace

std::unique_ptr<Store> MakeS3Store(const Settings& settings, const std::string& bucket,
                                   const std::string& folder, const Environment& environment,
                                   const RunContext& run) {
  return std::make_unique<S3Store>(settings, bucket, folder, environment, run);
}

}  // namespace oxbackup::s3
