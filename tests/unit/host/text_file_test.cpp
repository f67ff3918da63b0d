// What is read of files, pipes and devices, and where that ends.
#include "host_stub/text_file.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <cstdlib>
#include <fstream>
#include <thread>

#include "temporary_directory.hpp"

namespace rosey::host {
namespace {

std::string reading_problem(const std::filesystem::path& file,
                            const text_file_limits& limits = {}) {
  const auto text = read_text_file(file, limits);
  return text ? "" : text.error().message;
}

class TextFile : public testing::Test {
 protected:
  const tests::temporary_directory folder_;
  const std::filesystem::path file_ = folder_.path() / "file";
};

TEST_F(TextFile, IsReadWhole) {
  EXPECT_EQ(reading_problem(file_), "No such file or directory");
  EXPECT_EQ(reading_problem(file_.parent_path()), "it is a folder");
  std::ofstream(file_) << "\xEF\xBB\xBF" << std::string(1'000'000, 'x');
  EXPECT_EQ(*read_text_file(file_), std::string(1'000'000, 'x'));
  std::ofstream(file_) << "";
  EXPECT_EQ(*read_text_file(file_), "");
  EXPECT_EQ(*read_text_file("/dev/null"), "");
  EXPECT_NE(reading_problem("/proc/self/mem"), "");
}

TEST_F(TextFile, EndsAtItsLimit) {
  std::ofstream(file_) << "12345";
  EXPECT_EQ(*read_text_file(file_, {.bytes = 5}), "12345");
  EXPECT_EQ(reading_problem(file_, {.bytes = 4}), "it has more than 4 bytes");
  EXPECT_EQ(reading_problem("/dev/zero"), "it has more than 33554432 bytes");
}

TEST_F(TextFile, MayBeAPipeThatSomebodyWrites) {
  ASSERT_EQ(::mkfifo(file_.c_str(), 0600), 0);
  EXPECT_EQ(reading_problem(file_, {.silence = std::chrono::milliseconds(1)}),
            "nothing came for 0.001 seconds");
  std::thread writer([this] {
    std::ofstream out(file_);  // waits for the reader
    out << std::string(1'000'000, 'x') << std::flush << "end";
  });
  const auto text = read_text_file(file_);
  writer.join();
  ASSERT_TRUE(text) << text.error().message;
  EXPECT_EQ(*text, std::string(1'000'000, 'x') + "end");
}

}  // namespace
}  // namespace rosey::host
