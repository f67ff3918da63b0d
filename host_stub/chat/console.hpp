// The console as a chat channel: lines from standard input, answers on standard output.
#pragma once

#include <atomic>
#include <functional>
#include <future>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <thread>

#include "host_stub/bus/connection.hpp"
#include "host_stub/chat/command_router.hpp"
#include "host_stub/lanes.hpp"
#include "rosey/wire/presence.hpp"

namespace rosey::host {

// One line is answered before the next is read, so that a piped script sees its answers in order.
// Only an answer that takes too long is overtaken, by those of other plugins; and until a plugin
// has caught up, nobody waits for it again.
class console {
 public:
  struct settings {
    std::string channel;
    std::string user;
    wire::role role;
  };

  // Listens to what plugins say unasked; throws std::runtime_error if it cannot. `on_end` is called
  // once, on the console's thread, when the input has ended.
  console(connection& bus, command_router& router, settings options, std::function<void()> on_end);
  // Waits for the lines in work.
  ~console();
  console(const console&) = delete;
  console& operator=(const console&) = delete;

  // Begins to read.
  void start();
  // Reads no more and drops the lines that wait; those in work are still answered. Does not block.
  void stop();

  // True if somebody can type or pipe into standard input (it is not /dev/null, say).
  static bool is_attached();

 private:
  void read_lines();
  void handle_line(std::string text);
  bool switch_user(std::string_view line);
  // On rosey.chat.users: what the one who speaks does.
  void tell(wire::presence_event what);

  connection& bus_;
  command_router& router_;
  settings speaker_;
  std::set<std::string> here_;  // who has spoken
  std::function<void()> on_end_;
  int stop_event_;
  std::atomic<bool> stopping_ = false;
  subscription announcements_;
  std::map<std::string, std::future<void>> overdue_;  // by lane: its newest answer, nobody waits
  lanes answers_;                                     // by the plugin that is asked
  std::thread reader_;
};

}  // namespace rosey::host
