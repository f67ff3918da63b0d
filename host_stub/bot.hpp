// The bot: wires NATS, storage, plugins and chat together, and takes them down in order.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "host_stub/config.hpp"

namespace rosey::host {

class bot {
 public:
  // Starts everything; returns when the bot is ready. Call it on the main thread: the private
  // nats-server dies with the thread that made it. `reread` gives the configuration again when a
  // plugin is loaded. `on_console_end` is called when the console's input has ended.
  // Throws std::runtime_error with one sentence.
  bot(const config& settings, std::function<result<config>()> reread,
      std::function<void()> on_console_end);
  // Stops in the reverse order, and loses nothing that was answered.
  ~bot();
  bot(const bot&) = delete;
  bot& operator=(const bot&) = delete;

  const std::string& nats_url() const;

  // Stops chat and plugins. False if a plugin is stuck: end the process without destroying this.
  bool stop();

 private:
  struct parts;
  std::unique_ptr<parts> parts_;
};

}  // namespace rosey::host
