// Library files as they come: whole, cut short, half-written, changed many times at once.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <condition_variable>
#include <csignal>
#include <fstream>
#include <iterator>
#include <mutex>

#include "host_stub/plugins/elf_file.hpp"
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

TEST_F(PluginFiles, ThatAreNoFilesAreNamedForWhatTheyAre) {
  const auto problem = [this](const char* name) {
    return shadow_copy(path(name), copies_.path()).error().message;
  };
  std::filesystem::create_directory(path("folder.so"));
  EXPECT_THAT(problem("folder.so"), HasSubstr("folder.so: is a folder, not the file of a library"));
  ASSERT_EQ(::mkfifo(path("fifo.so").c_str(), 0600), 0);
  EXPECT_THAT(problem("fifo.so"), HasSubstr("fifo.so: is a FIFO, not the file of a library"));
  std::filesystem::create_symlink("nowhere.so", path("link.so"));
  EXPECT_THAT(problem("link.so"),
              HasSubstr("link.so: is a link to 'nowhere.so', which is not there"));
  std::filesystem::create_symlink("loop.so", path("loop.so"));
  EXPECT_THAT(problem("loop.so"), HasSubstr("loop.so: cannot be read: Too many levels"));
  std::filesystem::create_symlink("/dev/null", path("device.so"));
  EXPECT_THAT(problem("device.so"), HasSubstr("device.so: is a device, not the file of a library"));
}

TEST_F(PluginFiles, ThatCannotBeCopiedBlameWhatIsAtFault) {
  write("liba.so", library());
  const auto nowhere = copies_.path() / "gone";
  EXPECT_THAT(shadow_copy(path("liba.so"), nowhere).error().message,
              testing::AllOf(HasSubstr("the private copy '" + nowhere.string()),
                             HasSubstr("cannot be written: No such file or directory")));
  // A full disk, for one process.
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit small{4096, before.rlim_max};
  ::signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const auto cut = shadow_copy(path("liba.so"), copies_.path());
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  ASSERT_FALSE(cut);
  EXPECT_THAT(cut.error().message, HasSubstr("cannot be written: File too large"));
  EXPECT_TRUE(std::filesystem::is_empty(copies_.path()));
  if (::geteuid() == 0) return;  // reads everything
  std::filesystem::permissions(path("liba.so"), std::filesystem::perms::none);
  EXPECT_THAT(shadow_copy(path("liba.so"), copies_.path()).error().message,
              HasSubstr("liba.so: cannot be read: Permission denied"));
}

TEST_F(PluginFiles, SayOfThemselvesWhatTheyAre) {
  const elf_file said = read_elf(LIBRARY_FILE);
  EXPECT_TRUE(said.known && said.is_plugin && said.has_entry);
  EXPECT_FALSE(said.never_unloaded);
  EXPECT_EQ(said.unique_symbol, "");
  EXPECT_THAT(said.exports, testing::IsEmpty());
  EXPECT_THAT(said.needs, testing::Contains(HasSubstr("libnats.so")));
  // Of a damaged one nothing is read that is not there.
  const std::string whole = library();
  std::string damaged = whole;
  for (std::size_t at = 16; at < 64; ++at) damaged[at] = '\x7f';
  EXPECT_FALSE(read_elf(write("damaged.so", damaged)).known);
  for (std::size_t parts = 0; parts < 32; ++parts) {
    EXPECT_FALSE(read_elf(write("cut.so", whole.substr(0, parts * 999))).known);
  }
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
  write("libneeded.so.1", "what a plugin may need");
  EXPECT_THAT(changes.wait_for(4), testing::Contains("libneeded.so.1"));
  ASSERT_EQ(::chmod(path("liba.so").c_str(), 0700), 0);
  changes.wait_for(5);
  ASSERT_EQ(::chmod(folder_.path().c_str(), 0711), 0);
  EXPECT_THAT(changes.wait_for(6), testing::Contains(folder_.path().filename().string()));
  std::filesystem::rename(path(".hidden.so"), path("libz.so"));
  EXPECT_THAT(changes.wait_for(7), testing::UnorderedElementsAre(
                                       "liba.so", "libearly.so", "libslow.so", "libneeded.so.1",
                                       "liba.so", folder_.path().filename().string(), "libz.so"));
}

}  // namespace
}  // namespace rosey::host
