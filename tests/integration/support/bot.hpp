// The real bot in a folder of its own, driven over its console and over NATS.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "host_stub/bus/connection.hpp"
#include "integration/support/process.hpp"
#include "temporary_directory.hpp"

namespace rosey::tests {

inline constexpr char add_subject[] = "rosey.command.playlist.add";

// A folder as an operator has it: plugins, migrations, data. It outlives restarts of the bot.
class bot_folder {
 public:
  bot_folder();

  const std::filesystem::path& path() const { return folder_.path(); }
  std::filesystem::path plugins() const { return path() / "plugins"; }
  std::filesystem::path database() const { return path() / "data" / "rosey.db"; }

  // Writes rosey.json: `playlist` is the plugin's section; JSON texts. Without `watch` the bot does
  // not see by itself what a test does to its plugins' files.
  struct other_sections {
    std::string_view storage = "{}";
    bool watch = false;
  };
  void configure(std::string_view playlist, const other_sections& others) const;
  void configure(std::string_view playlist) const { configure(playlist, {}); }

  // `rosey <arguments>` in this folder.
  std::vector<std::string> command(std::vector<std::string> arguments) const;

 private:
  temporary_directory folder_;
};

class running_bot {
 public:
  // Returns when the bot is ready.
  explicit running_bot(const bot_folder& folder, const std::vector<std::string>& arguments = {});

  // A chat line that is answered, and the answer. Answers of several lines end before the empty
  // answer of a command that always answers one line, which is asked behind it.
  std::string say(std::string_view line);

  // A request over NATS on a connection of the test's own. Fails the test if there is no answer.
  std::string request(std::string_view subject, std::string_view payload);

  host::connection& bus();
  const std::string& nats_url() const { return nats_url_; }
  process& child() { return process_; }

  // Ends the input and waits; the exit status.
  int finish();
  // kill -9.
  void kill();

 private:
  process process_;
  std::string nats_url_;
  std::unique_ptr<host::connection> bus_;
};

}  // namespace rosey::tests
