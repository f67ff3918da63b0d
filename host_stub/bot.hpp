// The bot: wires NATS, storage, plugins and chat together, and takes them down in order.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "host_stub/config.hpp"
#include "host_stub/plugins/manager.hpp"

namespace rosey::host {

class bot {
 public:
  // What is around it. All are called on any thread.
  struct surroundings {
    // Gives the configuration again, when a plugin is loaded.
    std::function<result<config>()> reread;
    // The console's input has ended.
    std::function<void()> on_console_end = [] {};
    // It cannot go on, and why: NATS is lost for good.
    std::function<void(const std::string& why)> on_failure = [](const std::string&) {};
    // Whether it need not finish its start.
    std::function<bool()> should_end = [] { return false; };
    // What it waits for on the way down, and whether that is somebody else.
    std::function<void(std::string step, bool for_others)> waits_for = [](const std::string&,
                                                                          bool) {};
  };

  // Starts everything; returns when the bot is ready: NATS has taken its subscriptions, and the
  // plugins that it must have run. Throws std::runtime_error with one sentence.
  bot(const config& settings, surroundings around);
  // Stops in the reverse order, and loses nothing that was answered.
  ~bot();
  bot(const bot&) = delete;
  bot& operator=(const bot&) = delete;

  const std::string& nats_url() const;

  // Stops chat, plugins and storage, whatever does not answer; plugins have until `latest`. Unless
  // all are gone, end the process without destroying this.
  stop_outcome stop(std::chrono::steady_clock::time_point latest);

 private:
  struct parts;
  std::unique_ptr<parts> parts_;
};

// Ends the process for a bot that could not stop all: no destructor may run under its threads.
[[noreturn]] void end_without_destroying(stop_outcome outcome);

}  // namespace rosey::host
