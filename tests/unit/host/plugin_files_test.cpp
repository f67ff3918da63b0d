// Library files as they come: whole, cut short, half-written, changed many times at once.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <condition_variable>
#include <fstream>
#include <iterator>
#include <mutex>

#include "host_stub/plugins/folder_watcher.hpp"
#include "host_stub/plugins/shadow_copy.hpp"
#include "temporary_directory.hpp"

namespace rosey::host {
namespace {

using testing::HasSubstr;

class PluginFiles : public testing::Test {
 protected:
  std::filesystem::path path(const char* name) const { return folder_.path() / name; }

  std::string write(const char* name, const std::string& content) const {
    std::ofstream(path(name), std::ios::binary | std::ios::trunc) << content;
    return path(name);
  }
  static std::string library() {
    std::ifstream in(LIBRARY_FILE, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  tests::temporary_directory folder_;
  tests::temporary_directory copies_;
};

TEST_F(PluginFiles, AreCopiedUnderANameOfTheirOwnEachTime) {
  write("liba.so", library());
  const auto first = shadow_copy(path("liba.so"), copies_.path());
  const auto second = shadow_copy(path("liba.so"), copies_.path());
  ASSERT_TRUE(first && second);
  EXPECT_NE(*first, *second);
  EXPECT_TRUE(same_content(path("liba.so"), *first));
  write("liba.so", "changed");
  EXPECT_FALSE(same_content(path("liba.so"), *second));
  EXPECT_FALSE(same_content(path("missing.so"), *second));
}

TEST_F(PluginFiles, AreRefusedWhereverTheyAreCutShort) {
  const std::string whole = library();
  ASSERT_GT(whole.size(), 4096u);
  for (std::size_t parts = 0; parts < 64; ++parts) {
    write("liba.so", whole.substr(0, parts * whole.size() / 64));
    EXPECT_FALSE(shadow_copy(path("liba.so"), copies_.path())) << parts;
  }
  write("liba.so", whole.substr(0, whole.size() - 1));
  const auto copied = shadow_copy(path("liba.so"), copies_.path());
  ASSERT_FALSE(copied);
  EXPECT_EQ(copied.error().code, "refused");
  EXPECT_THAT(copied.error().message, HasSubstr("is cut short: it has"));
  EXPECT_TRUE(std::filesystem::is_empty(copies_.path())) << "no copy is left of what is refused";
}

TEST_F(PluginFiles, AreLeftAloneWhileSomebodyWritesThem) {
  write("liba.so", library());
  const int writer = ::open(path("liba.so").c_str(), O_WRONLY | O_CLOEXEC);
  ASSERT_GE(writer, 0);
  const auto copied = shadow_copy(path("liba.so"), copies_.path());
  ::close(writer);
  ASSERT_FALSE(copied);
  EXPECT_EQ(copied.error().code, "being_written");
  EXPECT_TRUE(shadow_copy(path("liba.so"), copies_.path()));
}

TEST_F(PluginFiles, ThatAreNoLibraryAreNamed) {
  EXPECT_THAT(shadow_copy(path("none.so"), copies_.path()).error().message,
              HasSubstr("none.so: there is no such file"));
  EXPECT_THAT(shadow_copy(write("text.so", "hello"), copies_.path()).error().message,
              HasSubstr("is not a loadable library"));
}

// What the watcher told, in order.
class told {
 public:
  void add(const std::filesystem::path& file) {
    {
      const std::lock_guard lock(mutex_);
      names_.push_back(file.filename());
    }
    added_.notify_all();
  }
  // All so far, when they are so many; files that are due together are told in no fixed order.
  std::vector<std::string> wait_for(std::size_t count) {
    std::unique_lock lock(mutex_);
    added_.wait_for(lock, std::chrono::seconds(30), [&] { return names_.size() >= count; });
    return names_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable added_;
  std::vector<std::string> names_;
};

TEST_F(PluginFiles, AreToldOnceForEachChange) {
  told changes;
  folder_watcher watcher(folder_.path(), std::chrono::milliseconds(200));
  write("libearly.so", "before the start");
  for (int turn = 0; turn < 50; ++turn) write("liba.so", "change " + std::to_string(turn));
  write("notes.txt", "no library");
  write(".hidden.so", "not yet");
  {
    std::ofstream unfinished(path("libslow.so"));
    unfinished << "half" << std::flush;
    watcher.start([&](const std::filesystem::path& file) { changes.add(file); });
    EXPECT_THAT(changes.wait_for(2), testing::UnorderedElementsAre("liba.so", "libearly.so"));
  }
  std::filesystem::rename(path(".hidden.so"), path("libz.so"));
  EXPECT_THAT(changes.wait_for(4),
              testing::UnorderedElementsAre("liba.so", "libearly.so", "libslow.so", "libz.so"));
}

}  // namespace
}  // namespace rosey::host
