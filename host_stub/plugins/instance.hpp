// One running plugin: its library, its thread, and the way from start to gone.
#pragma once

#include <spdlog/logger.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "host_stub/bus/connection.hpp"
#include "host_stub/plugins/library.hpp"
#include "host_stub/plugins/plugin_subscriptions.hpp"
#include "host_stub/plugins/plugin_thread.hpp"
#include "rosey/abi/host.h"
#include "rosey/abi/publisher.h"

namespace rosey::host {

// How long a plugin may take for each step before it counts as stuck.
struct plugin_deadlines {
  std::chrono::milliseconds start = std::chrono::seconds(5);
  std::chrono::milliseconds drain = std::chrono::seconds(5);
  std::chrono::milliseconds stop = std::chrono::seconds(10);
  std::chrono::milliseconds destroy = std::chrono::seconds(5);
  // What a swap's new instance waits for the old one to finish; a fraction of what a command waits
  // for its answer.
  std::chrono::milliseconds hold = std::chrono::seconds(3);
  // Until a thread that has been joined is really gone.
  std::chrono::milliseconds grace = std::chrono::seconds(1);

  // The most that it can take to load, unload or reload one plugin: start() with the flush behind
  // it, the swap's wait, and stop() of the one that has to go, which ends subscriptions twice.
  constexpr std::chrono::milliseconds longest_change() const {
    return 2 * start + hold + 3 * drain + stop + destroy + grace;
  }
};

// Used by one thread, the one that manages plugins; the host table's functions, by any.
//
//   load ─▶ start() ─▶ running ─▶ stop() ─▶ gone
//               └────────────────────┴────▶ stuck: may never be destroyed, only kept
class instance {
 public:
  using clock = std::chrono::steady_clock;
  static constexpr clock::time_point never = clock::time_point::max();
  // From here on a call counts as one that does not come back.
  static constexpr std::chrono::seconds long_call{2};

  instance(library code, connection& bus, const plugin_deadlines& deadlines);
  // Only when nothing of the plugin runs: never started, or not stuck() after start() failed or
  // stop() succeeded.
  ~instance();
  instance(const instance&) = delete;
  instance& operator=(const instance&) = delete;

  const rosey_plugin& plugin() const { return library_.plugin(); }
  const std::string& id() const { return id_; }
  const std::string& version() const { return version_; }
  // No other instance of this process has had it.
  std::uint64_t number() const { return number_; }
  // The copy of the file that this instance runs.
  const std::filesystem::path& shadow() const { return library_.shadow(); }

  // What the plugin logs below this level is left out, and all else is written, whatever the level
  // of the host's log. Before start().
  void log_from(spdlog::level::level_enum least);

  // Creates and starts the plugin on its thread, and only then opens its intake: a plugin that
  // cannot start gets no work. When it returns success, the server has taken its subscriptions. On
  // failure the plugin is gone again, unless stuck() says otherwise, and what had come in has been
  // passed on to who else serves the subject.
  // With `hold`, what comes in for its queue groups waits for release_intake().
  result<void> start(std::string config_json, bool hold = false);
  void release_intake() { subscriptions_.release_intake(); }

  // The first part of stop(): drains the intake and lets the plugin finish what it began. False if
  // that takes longer than `timeout`; it goes on then, but what the plugin has not been called for
  // by then is passed on.
  bool come_to_rest(std::chrono::milliseconds timeout);

  // Drains the intake until the plugin has been called for all of it, lets the plugin finish,
  // destroys it, unmaps its library, and proves that no thread, subscription or line in the maps is
  // left. Fails with a sentence; stuck() tells whether plugin code may still run. Takes no longer
  // than until `latest`; code "unfinished" says that it had no more time, and does nothing but wait
  // for somebody else.
  result<void> stop(clock::time_point latest = never);

  // True once a deadline has passed with plugin code still running (or its library still mapped).
  bool stuck() const { return stuck_; }

  // How long the plugin has been inside the call that it is in now.
  std::optional<std::chrono::milliseconds> busy_for() const { return thread_.busy_for(); }
  // The same, once that is too long for a plugin on one thread.
  std::optional<std::chrono::seconds> stuck_for() const;

 private:
  struct startup;

  // The host table, as the plugin sees it.
  static rosey_status post(void* self, rosey_task_fn run, rosey_task_fn drop, void* arg) noexcept;
  static rosey_status subscribe(void* self, rosey_string subject, rosey_string queue_group,
                                rosey_message_fn on_message, void* arg, std::uint64_t* id,
                                rosey_error* error) noexcept;
  static rosey_status unsubscribe(void* self, std::uint64_t id, rosey_task_fn done,
                                  void* arg) noexcept;
  static void stopped(void* self, rosey_status status) noexcept;
  static void log(void* self, std::int32_t level, const char* text, std::size_t size) noexcept;
  static const void* get_ext(void* self, const char* id) noexcept;
  static rosey_status publish(void* self, rosey_string subject, rosey_string reply,
                              rosey_string payload, rosey_error* error) noexcept;
  static std::uint64_t max_payload(void* self) noexcept;

  static std::uint64_t next_number();
  void ask_to_stop();
  void destroy_plugin() noexcept;
  result<void> finish();
  error give_up(std::string why);
  result<void> check_verbs();
  result<void> check_permissions(std::size_t refusals_before);
  std::chrono::milliseconds patience_with_nats() const;
  std::chrono::milliseconds limited(std::chrono::milliseconds deadline) const;

  library library_;
  const std::uint64_t number_ = next_number();
  std::string id_;  // copies: still there when the library is not
  std::string version_;
  std::atomic<const char*> starting_call_ = "create";  // then "start"
  const plugin_deadlines deadlines_;
  connection& bus_;
  rosey_host table_;
  rosey_instance* plugin_instance_ = nullptr;  // plugin-thread, and after it has ended
  std::shared_ptr<spdlog::logger> log_;        // null: that of the host
  std::atomic<bool> stuck_ = false;
  clock::time_point latest_ = never;  // of the way down

  std::mutex starting_mutex_;                                        // guards the next
  std::optional<std::set<std::string>> starts_with_{std::in_place};  // subjects, until it runs

  std::promise<rosey_status> stopped_promise_;
  std::future<rosey_status> stopped_ = stopped_promise_.get_future();
  std::atomic<bool> has_stopped_ = false;

  plugin_subscriptions subscriptions_;
  plugin_thread thread_;  // last: it uses all of the above
};

}  // namespace rosey::host
