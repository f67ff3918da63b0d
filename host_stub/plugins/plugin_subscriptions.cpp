#include "host_stub/plugins/plugin_subscriptions.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <utility>

#include "host_stub/plugins/subscription_rules.hpp"
#include "rosey/wire/command.hpp"

namespace rosey::host {
namespace {

using steady = std::chrono::steady_clock;

}  // namespace

// Shared by the map, the handler that libnats calls, and the deliveries on their way.
struct plugin_subscriptions::entry {
  std::uint64_t id;
  std::string subject;
  std::string queue_group;
  rosey_message_fn on_message;
  void* arg;
  subscription handle;
  bool ended = false;  // by the plugin
  rosey_task_fn done = nullptr;
  void* done_arg = nullptr;

  bool intake() const { return !queue_group.empty(); }
};

// A message on its way through the plugin's queue.
struct plugin_subscriptions::delivery {
  delivery(plugin_subscriptions& subscribed_by, std::shared_ptr<entry> subscribed,
           inbound_message arrived)
      : owner(subscribed_by), to(std::move(subscribed)), message(std::move(arrived)) {
    ++owner.waiting_;
  }
  ~delivery() { --owner.waiting_; }
  delivery(const delivery&) = delete;
  delivery& operator=(const delivery&) = delete;

  plugin_subscriptions& owner;
  std::shared_ptr<entry> to;
  inbound_message message;

  static void run(void* arg) {
    const std::unique_ptr<delivery> self(static_cast<delivery*>(arg));
    const auto borrowed = [](std::string_view text) {
      return rosey_string{text.data(), text.size()};
    };
    const rosey_message message{{sizeof(rosey_message), ROSEY_ABI_MAJOR, ROSEY_ABI_MINOR},
                                borrowed(self->message.subject()),
                                borrowed(self->message.reply()),
                                borrowed(self->message.payload()),
                                self->message.no_responders() ? ROSEY_MESSAGE_NO_RESPONDERS : 0u};
    // Called through a type that may throw, so that what escapes is caught and not fatal.
    void (*const on_message)(void*, const rosey_message*) = self->to->on_message;
    on_message(self->to->arg, &message);
  }
  static void drop(void* arg) { delete static_cast<delivery*>(arg); }
};

plugin_subscriptions::plugin_subscriptions(std::string plugin, connection& bus,
                                           plugin_thread& thread)
    : plugin_(std::move(plugin)), bus_(bus), thread_(thread) {}

plugin_subscriptions::~plugin_subscriptions() = default;

result<void> plugin_subscriptions::add(std::string_view subject, std::string_view queue_group,
                                       rosey_message_fn on_message, void* arg, std::uint64_t& id) {
  if (std::string problem = problem_with_subscription(plugin_, subject, queue_group);
      !problem.empty()) {
    return error{"refused", std::move(problem)};
  }
  // Held until the entry is in the map: a subscription may end before subscribe() has returned.
  const std::lock_guard lock(mutex_);
  if (closing_ || (!queue_group.empty() && intake_state_ == no_more)) {
    return error{"stopped", "the plugin is closing"};
  }
  const auto added = std::make_shared<entry>();
  added->id = last_ + 1;
  added->subject = subject;
  added->queue_group = queue_group;
  added->on_message = on_message;
  added->arg = arg;
  if (!added->intake() || intake_state_ == open_now) {
    if (const auto opened = open(added); !opened) return opened;
  }
  entries_.emplace(++last_, added);
  id = added->id;
  return {};
}

bool plugin_subscriptions::listens_to(std::string_view subject) {
  const std::lock_guard lock(mutex_);
  return std::any_of(entries_.begin(), entries_.end(), [subject](const auto& each) {
    return !each.second->ended && overlap(each.second->subject, subject);
  });
}

bool plugin_subscriptions::end(std::uint64_t id, rosey_task_fn done, void* arg) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(id);
  if (found == entries_.end() || found->second->ended) return false;
  const std::shared_ptr<entry> ending = found->second;
  if (ending->handle.active()) {
    ending->ended = true;
    ending->done = done;
    ending->done_arg = arg;
    ending->handle.end();
  } else {  // the intake has not been opened yet
    if (done && !thread_.post({done, done, arg})) return false;
    entries_.erase(found);
  }
  return true;
}

// With the mutex held.
result<void> plugin_subscriptions::open(const std::shared_ptr<entry>& opening) {
  auto opened = bus_.subscribe(
      opening->subject, opening->queue_group,
      [this, opening](inbound_message message) {
        deliver(std::make_unique<delivery>(*this, opening, std::move(message)));
      },
      [this, opening] { on_finished(opening); });
  if (!opened) return opened.error();
  opening->handle = std::move(*opened);
  return {};
}

result<void> plugin_subscriptions::open_intake(std::chrono::milliseconds timeout) {
  {
    const std::lock_guard lock(mutex_);
    intake_state_ = open_now;
    for (const auto& [id, each] : entries_) {
      if (!each->intake()) continue;
      if (auto opened = open(each); !opened) return opened;
    }
  }
  return bus_.flush(timeout);
}

void plugin_subscriptions::deliver(std::unique_ptr<delivery> arrived) {
  const std::lock_guard lock(intake_);
  const std::size_t waiting = waiting_;
  if (waiting > most_waiting) return refuse(arrived->message);
  if (overloaded_ && waiting <= most_waiting / 2) {
    spdlog::warn("[{}] it keeps up again; {} messages were refused", plugin_, refused_);
    overloaded_ = false;
  }
  if (holding_ && arrived->to->intake()) {
    held_.push_back(std::move(arrived));
  } else if (thread_.post({&delivery::run, &delivery::drop, arrived.get()})) {
    static_cast<void>(arrived.release());
  }
}

// With intake_ held.
void plugin_subscriptions::refuse(const inbound_message& message) {
  if (!std::exchange(overloaded_, true)) {
    refused_ = 0;
    spdlog::error("[{}] {} messages wait for it; what comes now is refused", plugin_, most_waiting);
  }
  ++refused_;
  if (message.reply().empty()) return;
  const error why{codes::busy, fmt::format("The plugin '{}' has too much to do", plugin_)};
  const auto reply = boost::json::serialize(wire::to_json(wire::failed(why)));
  static_cast<void>(bus_.publish(message.reply(), reply));
}

void plugin_subscriptions::release_intake() {
  const std::lock_guard lock(intake_);
  holding_ = false;
  for (auto& waiting : held_) {
    if (thread_.post({&delivery::run, &delivery::drop, waiting.get()})) {
      static_cast<void>(waiting.release());
    }
  }
  held_.clear();
}

void plugin_subscriptions::on_finished(const std::shared_ptr<entry>& ended) {
  subscription handle;  // destroyed after the lock is released
  const std::lock_guard lock(mutex_);
  handle = std::move(ended->handle);
  entries_.erase(ended->id);
  // Behind the subscription's last message in the queue; called even if the queue is dropped.
  if (ended->done) thread_.post({ended->done, ended->done, ended->done_arg});
}

bool plugin_subscriptions::drain_intake(std::chrono::milliseconds timeout) {
  const auto deadline = steady::now() + timeout;
  for (const auto& finished : close(true, timeout)) {
    if (finished.wait_until(deadline) == std::future_status::ready) continue;
    pass_on_queued();
    return false;
  }
  // Behind the last message in the plugin's queue.
  auto* reached = new std::promise<void>;
  const std::future<void> all_delivered = reached->get_future();
  const auto reach = [](void* arg) {
    const std::unique_ptr<std::promise<void>> mine(static_cast<std::promise<void>*>(arg));
    mine->set_value();
  };
  if (!thread_.post({reach, reach, reached})) {
    delete reached;
    return true;
  }
  if (all_delivered.wait_until(deadline) == std::future_status::ready) return true;
  pass_on_queued();
  return false;
}

void plugin_subscriptions::pass_on_held(std::chrono::milliseconds timeout) {
  for (const auto& finished : close(true, timeout)) {
    static_cast<void>(finished.wait_for(timeout));
  }
  std::deque<std::unique_ptr<delivery>> held;
  {
    const std::lock_guard lock(intake_);
    held.swap(held_);
  }
  for (const auto& waiting : held) static_cast<void>(bus_.pass_on(std::move(waiting->message)));
}

void plugin_subscriptions::pass_on_queued() {
  const auto queued = thread_.withdraw([](const plugin_thread::task& waiting) {
    return waiting.run == &delivery::run && static_cast<delivery*>(waiting.arg)->to->intake();
  });
  for (const plugin_thread::task& waiting : queued) {
    const std::unique_ptr<delivery> owned(static_cast<delivery*>(waiting.arg));
    static_cast<void>(bus_.pass_on(std::move(owned->message)));
  }
}

// Drains the intake within `timeout`, or ends all at once. The futures are ready when
// nothing of them can arrive any more.
std::vector<std::shared_future<void>> plugin_subscriptions::close(
    bool intake_only, std::chrono::milliseconds timeout) {
  std::vector<std::shared_future<void>> finished;
  const std::lock_guard lock(mutex_);
  intake_state_ = no_more;
  if (!intake_only) closing_ = true;
  for (const auto& [id, each] : entries_) {
    // It has ended meanwhile, or was never opened.
    if (!each->handle.active()) continue;
    if (!intake_only) {
      each->handle.end();
    } else if (each->intake()) {
      each->handle.drain(timeout);
    } else {
      continue;
    }
    finished.push_back(each->handle.finished());
  }
  return finished;
}

bool plugin_subscriptions::end_all(std::chrono::milliseconds timeout) {
  const auto deadline = steady::now() + timeout;
  for (const auto& finished : close(false, timeout)) {
    if (finished.wait_until(deadline) != std::future_status::ready) return false;
  }
  return true;
}

}  // namespace rosey::host
