// Moves one file into a bucket or out of it through the engine's own store, for bench/s3.
// usage: store-copy FILE s3://BUCKET/NAME | store-copy s3://BUCKET/NAME FILE
// The bucket's service and keys: S3_ENDPOINT_URL, S3_REGION_NAME, S3_ACCESS_KEY,
// S3_SECRET_ACCESS_KEY.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/file_descriptor.h"
#include "base/run_context_testing.h"
#include "base/task_group.h"
#include "store/s3/s3_store.h"

namespace oxbackup {
namespace {

// As the engine's readers: ranges of some megabytes, several at once.
constexpr uint64_t kRange = uint64_t{8} << 20;
constexpr int kReaders = 4;

FileDescriptor OpenFile(const std::string& path, int flags) {
  FileDescriptor file(::open(path.c_str(), flags | O_CLOEXEC, 0644));
  if (!file) throw SystemError(ErrorKind::kSource, "cannot open " + path, errno);
  return file;
}

void Upload(Store& store, const std::string& path, const std::string& name) {
  const FileDescriptor file = OpenFile(path, O_RDONLY);
  const std::unique_ptr<ObjectWriter> writer = store.Create({name});
  std::vector<char> buffer(size_t{1} << 20);
  while (true) {
    const ssize_t got = ::read(file.get(), buffer.data(), buffer.size());
    if (got < 0) throw SystemError(ErrorKind::kSource, "cannot read " + path, errno);
    if (got == 0) break;
    writer->Write({buffer.data(), static_cast<size_t>(got)});
  }
  writer->Finish();
}

void Download(Store& store, const std::string& name, const std::string& path,
              const std::stop_token& stop) {
  const std::unique_ptr<RangedSource> source = store.Open(name);
  if (source == nullptr) throw Error(ErrorKind::kNotFound, "there is no " + name);
  const FileDescriptor file = OpenFile(path, O_WRONLY | O_CREAT | O_TRUNC);
  std::atomic<uint64_t> next{0};
  TaskGroup readers(stop);
  for (int i = 0; i < kReaders; ++i) {
    readers.Run([&](const std::stop_token&) {
      std::string bytes;
      while (true) {
        const uint64_t offset = next.fetch_add(kRange);
        if (offset >= source->Size()) return;
        bytes.resize(std::min(kRange, source->Size() - offset));
        source->ReadAt(offset, bytes.data(), bytes.size());
        if (::pwrite(file.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset)) !=
            static_cast<ssize_t>(bytes.size())) {
          throw SystemError(ErrorKind::kSource, "cannot write " + path, errno);
        }
      }
    });
  }
  readers.Wait();
}

void Copy(const std::string& from, const std::string& to) {
  const bool up = to.starts_with("s3://");
  const std::string place = (up ? to : from).substr(std::string_view("s3://").size());
  const size_t slash = place.find('/');
  const Environment environment = ProcessEnvironment();
  s3::Settings settings;
  settings.endpoint = environment("S3_ENDPOINT_URL").value_or("");
  settings.credentials.region = environment("S3_REGION_NAME").value_or("");
  settings.credentials.access_key = environment("S3_ACCESS_KEY").value_or("");
  settings.credentials.secret_key = environment("S3_SECRET_ACCESS_KEY").value_or("");
  TestRun run;
  const std::unique_ptr<Store> store =
      s3::MakeS3Store(settings, place.substr(0, slash), "", environment, run.run);
  const std::string name = place.substr(slash + 1);
  if (up) {
    Upload(*store, from, name);
  } else {
    Download(*store, name, to, run.run.stop);
  }
}

}  // namespace
}  // namespace oxbackup

int main(int count, char** arguments) {
  if (count != 3) {
    std::fputs("usage: store-copy FILE s3://BUCKET/NAME | store-copy s3://BUCKET/NAME FILE\n",
               stderr);
    return 2;
  }
  try {
    oxbackup::Copy(arguments[1], arguments[2]);
    return 0;
  } catch (const oxbackup::Error& error) {
    std::fprintf(stderr, "store-copy: %s: %s\n", error.what(), error.cause().c_str());
    return 1;
  }
}
