// A child process with its three streams, read with deadlines; ended with the test, whatever
// happens.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rosey::tests {

inline constexpr std::chrono::seconds patience{90};  // until a test gives up on what it waits for

class process {
 public:
  // `command[0]` is a path. Throws std::system_error.
  process(std::vector<std::string> command, const std::filesystem::path& working_directory);
  ~process();  // SIGKILL, if it still runs
  process(const process&) = delete;
  process& operator=(const process&) = delete;

  void write(std::string_view text);
  void close_input();

  // The next line of standard output, without its end. Throws std::runtime_error with what has
  // come on standard error if there is none in time, or the output has ended.
  std::string read_line();
  // All that is left of standard output.
  std::string read_rest();

  // Waits until a line of standard error contains `text`, and returns it. Lines are seen once.
  std::string wait_for_log(std::string_view text);
  // Takes what comes on both streams until nothing has come for so long. A child whose streams
  // nobody reads stands still when they are full.
  void drain(std::chrono::milliseconds silence);
  // Standard error so far.
  const std::string& log() const { return log_; }

  void signal(int number);
  // Exit status, or 128 + the signal that ended it.
  int wait(std::chrono::seconds most = patience);
  pid_t id() const { return child_; }

 private:
  bool pump(std::chrono::steady_clock::time_point deadline);
  [[noreturn]] void give_up(std::string_view waited_for) const;

  pid_t child_ = -1;
  int in_ = -1, out_ = -1, err_ = -1;
  std::string output_;  // of standard output: not yet read
  std::string log_;
  std::size_t log_seen_ = 0;
  std::optional<int> status_;
};

struct finished {
  int status;
  std::string output;
  std::string log;
};

// Runs a command to its end with `input` on its standard input.
finished run(std::vector<std::string> command, const std::filesystem::path& working_directory,
             std::string_view input = {}, std::chrono::seconds most = patience);

}  // namespace rosey::tests
