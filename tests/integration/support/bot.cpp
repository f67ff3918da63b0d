#include "integration/support/bot.hpp"

#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <utility>

namespace rosey::tests {
namespace {

constexpr char end_marker[] = "❌ There is no command !end-of-answer";

// Tests ask no site on the internet; those that bring one of their own say so.
std::string without_sites(std::string_view playlist) {
  std::string settings(playlist);
  if (settings.find("\"metadata\"") != std::string::npos) return settings;
  const bool empty = settings.find_first_not_of("{} ") == std::string::npos;
  return settings.insert(settings.find('{') + 1,
                         empty ? R"("metadata":"none")" : R"("metadata":"none",)");
}

}  // namespace

bot_folder::bot_folder() {
  std::filesystem::create_directory(plugins());
  std::filesystem::copy_file(PLAYLIST_PLUGIN, plugins() / "libplaylist.so");
  std::filesystem::copy(SOURCE_DIR "/migrations", path() / "migrations",
                        std::filesystem::copy_options::recursive);
  configure("{}");
}

void bot_folder::configure(std::string_view playlist, const other_sections& others) const {
  std::ofstream(path() / "rosey.json")
      << R"({"plugins": {"directory": "plugins", "watch": )" << (others.watch ? "true" : "false")
      << R"(, "config": {"playlist": )" << without_sites(playlist) << R"(}}, "storage": )"
      << others.storage << "}\n";
}

std::vector<std::string> bot_folder::command(std::vector<std::string> arguments) const {
  arguments.insert(arguments.begin(), ROSEY_BINARY);
  return arguments;
}

running_bot::running_bot(const bot_folder& folder, const std::vector<std::string>& arguments)
    : process_(
          [&] {
            std::vector<std::string> all{"run"};
            all.insert(all.end(), arguments.begin(), arguments.end());
            return folder.command(std::move(all));
          }(),
          folder.path()) {
  const std::string line = process_.wait_for_log("rosey ready nats=");
  nats_url_ = line.substr(line.find("nats=") + 5);
  // That of another server is shown without its secret.
  const auto named = std::find(arguments.begin(), arguments.end(), "--nats-url");
  if (named != arguments.end()) nats_url_ = *std::next(named);
}

std::string running_bot::say(std::string_view line) {
  process_.write(std::string(line) + "\n");
  // Not before the answer has come: one that takes long may be overtaken.
  std::string answer = process_.read_line();
  process_.write("!help end-of-answer\n");
  for (;;) {
    const std::string next = process_.read_line();
    if (next == end_marker) return answer;
    answer += "\n" + next;
  }
}

std::string running_bot::request(std::string_view subject, std::string_view payload) {
  const auto reply = bus().request(subject, payload, patience);
  if (reply) return *reply;
  ADD_FAILURE() << subject << ": " << reply.error().message;
  return {};
}

host::connection& running_bot::bus() {
  if (!bus_) {
    bus_ = std::make_unique<host::connection>(
        host::connection::settings{.url = nats_url_, .name = "test"});
  }
  return *bus_;
}

int running_bot::finish() {
  bus_.reset();
  process_.close_input();
  return process_.wait();
}

void running_bot::kill() {
  bus_.reset();
  process_.signal(SIGKILL);
  process_.wait();
}

}  // namespace rosey::tests
