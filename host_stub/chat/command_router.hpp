// From a line in a channel to the answer: finds the verb's plugin, asks it over NATS, and answers
// what belongs to the host itself (!help, !plugin).
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "host_stub/bus/connection.hpp"
#include "host_stub/plugins/admin_client.hpp"
#include "host_stub/plugins/verb_table.hpp"
#include "rosey/wire/command.hpp"

namespace rosey::host {

struct chat_line {
  std::string channel;
  std::string user;
  wire::role role = wire::role::user;
  std::string text;
};

// Thread-safe.
class command_router {
 public:
  struct settings {
    std::string prefix = "!";
    // A command is sent again, under the same id, when there was no answer for so long; not if an
    // instance of the plugin may be stuck in it.
    std::chrono::milliseconds attempt_timeout = std::chrono::seconds(5);
    int attempts = 2;
    // Loading and unloading wait for the plugin, for all its deadlines if it comes to that.
    std::chrono::milliseconds admin_timeout = host::admin_timeout;
  };
  using verb_source = std::function<std::shared_ptr<const verb_table>()>;

  command_router(connection& bus, verb_source verbs, settings options);

  // Blocks until there is an answer. Empty if the line is no command.
  std::optional<std::string> answer(const chat_line& line);

  // What the line's answer depends on: the id of the plugin that it asks, or "plugin <name>" if it
  // changes one; "" if there is an answer at once. So a connector can keep those of one plugin in
  // order, and let no other wait; an admin's does not wait behind the commands to a plugin that is
  // stuck.
  std::string lane_of(const chat_line& line) const;

 private:
  // A command's first word in lower case, without the prefix, and the rest.
  struct command {
    std::string word;
    std::string_view args;
  };

  std::optional<command> parse(std::string_view text) const;
  std::string answer_verb(const chat_line& line, std::string_view word, std::string args);
  std::string help(const chat_line& line, std::string_view topic) const;
  std::string plugin_command(const chat_line& line, std::string_view args);
  std::string list_plugins();
  bool has_stuck_one(const std::string& plugin, std::chrono::steady_clock::time_point began);
  std::string what_is_wrong_with(const std::string& plugin);
  std::string no_answer(const chat_line& line, const std::string& plugin);
  std::string new_id();

  connection& bus_;
  verb_source verbs_;
  settings settings_;
};

}  // namespace rosey::host
