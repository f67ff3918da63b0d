// Whose writing counts: the mode and owner of a library, of its folder, and of the folders above.
#include "host_stub/plugins/ownership.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "temporary_directory.hpp"

namespace rosey::host {
namespace {

using testing::HasSubstr;

class Ownership : public testing::Test {
 protected:
  Ownership() {
    std::filesystem::create_directory(folder_);
    std::ofstream(file_) << "x";
    set_mode(folder_, 0755);
    set_mode(file_, 0644);
  }

  static void set_mode(const std::filesystem::path& entry, mode_t mode) {
    ASSERT_EQ(::chmod(entry.c_str(), mode), 0);
  }

  const tests::temporary_directory above_;
  const std::filesystem::path folder_ = above_.path() / "plugins";
  const std::filesystem::path file_ = folder_ / "libx.so";
};

TEST_F(Ownership, OfTheUserAloneIsNoProblem) {
  EXPECT_EQ(problem_with_writers(file_), "");
  EXPECT_EQ(problem_with_writers_of_folder(folder_), "");
  EXPECT_EQ(problem_with_writers(folder_ / "none"), "");
  EXPECT_EQ(problem_with_writers("/dev/null/none"), "");
}

TEST_F(Ownership, OfAWritableFileOrFolderIsOne) {
  set_mode(file_, 0646);
  EXPECT_EQ(problem_with_writers(file_), "'" + file_.string() +
                                             "' may be written by everybody; run: chmod go-w '" +
                                             file_.string() + "'");
  set_mode(folder_, 0777);
  EXPECT_THAT(problem_with_writers_of_folder(folder_), HasSubstr("everybody"));
  set_mode(folder_, 01777);  // in a sticky folder anybody can put a new one
  EXPECT_THAT(problem_with_writers_of_folder(folder_), HasSubstr("everybody"));
  set_mode(folder_, 0755);
  set_mode(above_.path(), 0777);
  EXPECT_THAT(problem_with_writers_of_folder(folder_), HasSubstr(above_.path().string() + "' may"));
  set_mode(above_.path(), 01777);
  EXPECT_EQ(problem_with_writers_of_folder(folder_), "");
}

TEST_F(Ownership, OfAGroupOrAnotherUserIsOne) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give a file away";
  set_mode(file_, 0664);
  EXPECT_EQ(problem_with_writers(file_), "") << "the group of root";
  ASSERT_EQ(::chown(file_.c_str(), 0, 12345), 0);
  EXPECT_THAT(problem_with_writers(file_), HasSubstr("may be written by group 12345"));
  ASSERT_EQ(::chown(file_.c_str(), 12345, 0), 0);
  EXPECT_THAT(problem_with_writers(file_), HasSubstr("belongs to user 12345; run: chown 0"));
}

}  // namespace
}  // namespace rosey::host
