// What one plugin has subscribed: opened when it may get work, handed to it on its own thread,
// closed in order; and what it was not called for is passed on.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "host_stub/bus/connection.hpp"
#include "host_stub/plugins/plugin_thread.hpp"
#include "rosey/abi/host.h"

namespace rosey::host {

// How many messages may wait for one plugin. What comes beyond is answered "busy" at once.
inline constexpr std::size_t most_waiting = 10'000;

// The intake is what is subscribed with a queue group: work, of which each message goes to one of
// those who serve its subject. All may be called on any thread.
class plugin_subscriptions {
 public:
  // `thread` calls the plugin, and must be closed before this is destroyed.
  plugin_subscriptions(std::string plugin, connection& bus, plugin_thread& thread);
  ~plugin_subscriptions();
  plugin_subscriptions(const plugin_subscriptions&) = delete;
  plugin_subscriptions& operator=(const plugin_subscriptions&) = delete;

  // As rosey_host::subscribe. What belongs to the intake waits for open_intake(). Codes: "refused"
  // for what subscription_rules.hpp does not allow, "stopped" when it is too late, "unavailable".
  result<void> add(std::string_view subject, std::string_view queue_group,
                   rosey_message_fn on_message, void* arg, std::uint64_t& id);
  // Whether a message on this subject would reach the plugin, once the intake is open.
  bool listens_to(std::string_view subject);
  // As rosey_host::unsubscribe. False: there is none with this id, or it has been ended before.
  bool end(std::uint64_t id, rosey_task_fn done, void* arg);

  // Returns when the server knows. What comes in is held until release_intake().
  result<void> open_intake(std::chrono::milliseconds timeout);
  void release_intake();

  // Closes the intake. True when the plugin has been called for everything that came in; if not in
  // time, the rest is passed on to who else serves the subject.
  bool drain_intake(std::chrono::milliseconds timeout);
  // Closes the intake, and passes on what has been held.
  void pass_on_held(std::chrono::milliseconds timeout);

  // Ends all, without the server, and lets nothing be added. False if one has not ended in time.
  bool end_all(std::chrono::milliseconds timeout);

 private:
  struct entry;
  struct delivery;

  result<void> open(const std::shared_ptr<entry>& opening);
  void on_finished(const std::shared_ptr<entry>& ended);
  void deliver(std::unique_ptr<delivery> arrived);
  void refuse(const inbound_message& message);
  void pass_on_queued();
  std::vector<std::shared_future<void>> close(bool intake_only, std::chrono::milliseconds timeout);

  const std::string plugin_;  // its id
  connection& bus_;
  plugin_thread& thread_;

  std::atomic<std::size_t> waiting_ = 0;  // deliveries

  std::mutex intake_;  // guards the next four
  bool holding_ = true;
  std::deque<std::unique_ptr<delivery>> held_;
  bool overloaded_ = false;
  std::uint64_t refused_ = 0;  // messages, since it is overloaded

  std::mutex mutex_;  // guards the next four
  std::map<std::uint64_t, std::shared_ptr<entry>> entries_;
  std::uint64_t last_ = 0;
  enum { not_yet, open_now, no_more } intake_state_ = not_yet;
  bool closing_ = false;  // nothing may be added at all
};

}  // namespace rosey::host
