#include "host_stub/plugins/instance.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <cstring>
#include <exception>
#include <utility>

#include "rosey/wire/command.hpp"

namespace rosey::host {
namespace {

using steady = std::chrono::steady_clock;

// From here on a call counts as one that does not come back.
constexpr std::chrono::seconds long_call{2};

void write_error(rosey_error* error, std::string_view text) noexcept {
  if (!error) return;
  const std::size_t size = text.copy(error->text, ROSEY_ERROR_CAPACITY - 1);
  error->text[size] = '\0';
}

// The plugin's text, whatever it did to the terminator.
std::string text_of(const rosey_error& error) {
  return std::string(error.text, ::strnlen(error.text, ROSEY_ERROR_CAPACITY));
}

std::string_view view(rosey_string text) {
  return text.size == 0 ? std::string_view() : std::string_view(text.data, text.size);
}

// "playlist.item.*" and "playlist.>" are subjects; ">" and "*.item" would listen to strangers.
bool is_subscribable(std::string_view subject) {
  if (subject.empty() || subject.size() > 512) return false;
  const std::string_view first = subject.substr(0, subject.find('.'));
  if (first.empty() || first == "*" || first == ">") return false;
  for (const unsigned char byte : subject) {
    if (byte <= ' ' || byte == 0x7f) return false;
  }
  return subject.find("..") == std::string_view::npos && subject.back() != '.';
}

bool is_queue_group(std::string_view name) {
  return name.size() <= 512 && std::all_of(name.begin(), name.end(), [](unsigned char byte) {
           return byte > ' ' && byte != 0x7f;
         });
}

std::chrono::milliseconds until(steady::time_point deadline) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - steady::now());
  return std::max(left, std::chrono::milliseconds(0));
}

}  // namespace

// Shared by the map, the handler that libnats calls, and the deliveries on their way.
struct instance::plugin_subscription {
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
struct instance::delivery {
  delivery(instance& plugin, std::shared_ptr<plugin_subscription> subscribed,
           inbound_message arrived)
      : owner(plugin), to(std::move(subscribed)), message(std::move(arrived)) {
    ++owner.waiting_;
  }
  ~delivery() { --owner.waiting_; }
  delivery(const delivery&) = delete;
  delivery& operator=(const delivery&) = delete;

  instance& owner;
  std::shared_ptr<plugin_subscription> to;
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

// The first task on the plugin's thread.
struct instance::startup {
  instance& owner;
  std::string config;
  std::promise<result<void>> outcome;

  static void run(void* arg) {
    const std::unique_ptr<startup> self(static_cast<startup*>(arg));
    result<void> outcome;
    try {
      outcome = self->create_and_start();
    } catch (const std::exception& escaped) {
      outcome = error{"refused", fmt::format("threw an exception: {}", escaped.what())};
    } catch (...) {
      outcome = error{"refused", "threw an exception"};
    }
    // Without an instance nothing more may run, whatever the plugin has posted or subscribed.
    if (!self->owner.plugin_instance_) self->owner.thread_.close({});
    self->outcome.set_value(std::move(outcome));
  }
  static void drop(void* arg) { delete static_cast<startup*>(arg); }

  result<void> create_and_start() {
    const rosey_plugin& plugin = owner.plugin();
    rosey_error failure{};
    rosey_status (*const create)(const rosey_host*, rosey_instance**, rosey_error*) = plugin.create;
    rosey_instance* made = nullptr;
    if (create(&owner.table_, &made, &failure) != ROSEY_OK) {
      return error{"refused", "create failed: " + text_of(failure)};
    }
    if (!made) return error{"refused", "create succeeded without an instance"};
    owner.plugin_instance_ = made;
    rosey_status (*const start)(rosey_instance*, rosey_string, rosey_error*) = plugin.start;
    if (start(made, {config.data(), config.size()}, &failure) != ROSEY_OK) {
      return error{"refused", text_of(failure)};
    }
    return {};
  }
};

instance::instance(library code, connection& bus, const plugin_deadlines& deadlines)
    : library_(std::move(code)),
      id_(library_.plugin().id),
      version_(library_.plugin().version),
      bus_(bus),
      deadlines_(deadlines),
      table_{.header = {sizeof(rosey_host), ROSEY_ABI_MAJOR, ROSEY_ABI_MINOR},
             .self = this,
             .nats = bus.native(),
             .nats_version = nats_GetVersion(),
             .nats_anchor = reinterpret_cast<const void*>(&nats_GetVersion),
             .post = &instance::post,
             .subscribe = &instance::subscribe,
             .unsubscribe = &instance::unsubscribe,
             .stopped = &instance::stopped,
             .log = &instance::log,
             .get_ext = &instance::get_ext},
      thread_(id_, [this](const std::string& what) {
        spdlog::error("[{}] an exception escaped from the plugin: {}", id_, what);
      }) {}

instance::~instance() {
  thread_.close({});
}

result<void> instance::start(std::string config_json, bool hold) {
  std::unique_ptr<startup> first(new startup{*this, std::move(config_json), {}});
  std::future<result<void>> outcome = first->outcome.get_future();
  thread_.post({&startup::run, &startup::drop, first.release()});
  if (outcome.wait_for(deadlines_.start) != std::future_status::ready) {
    return give_up(fmt::format("start did not return within {} ms", deadlines_.start.count()));
  }
  result<void> started = outcome.get();
  if (started) started = open_intake();
  if (!started) {
    error why = started.error();
    pass_on_held();
    if (const auto gone = stop(); !gone) {
      why.message += "; it cannot be unloaded either: " + gone.error().message;
    }
    return why;
  }
  if (!hold) release_intake();
  return {};
}

result<void> instance::stop() {
  if (!plugin_instance_) return finish();  // create() failed: there is nothing to ask

  release_intake();
  drain_intake(deadlines_.drain);
  ask_to_stop();
  if (stopped_.wait_for(deadlines_.stop) != std::future_status::ready) {
    return give_up(fmt::format("did not stop within {} ms", deadlines_.stop.count()));
  }
  return finish();
}

bool instance::come_to_rest(std::chrono::milliseconds timeout) {
  const auto deadline = steady::now() + timeout;
  if (!drain_intake(timeout)) return false;
  ask_to_stop();
  return stopped_.wait_for(until(deadline)) == std::future_status::ready;
}

// True when the plugin has been called for everything that came in; if not in time, the rest is
// passed on.
bool instance::drain_intake(std::chrono::milliseconds timeout) {
  const auto deadline = steady::now() + timeout;
  for (const auto& finished : close_subscriptions(true, timeout)) {
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

// What came in while the plugin was starting goes to who else serves the subject.
void instance::pass_on_held() {
  for (const auto& finished : close_subscriptions(true, deadlines_.drain)) {
    static_cast<void>(finished.wait_for(deadlines_.drain));
  }
  std::deque<std::unique_ptr<delivery>> held;
  {
    const std::lock_guard lock(intake_);
    held.swap(held_);
  }
  for (const auto& waiting : held) static_cast<void>(bus_.pass_on(waiting->message));
}

// The same, for what the plugin was not called for before it has to go.
void instance::pass_on_queued() {
  const auto queued = thread_.withdraw([](const plugin_thread::task& waiting) {
    return waiting.run == &delivery::run && static_cast<delivery*>(waiting.arg)->to->intake();
  });
  for (const plugin_thread::task& waiting : queued) {
    const std::unique_ptr<delivery> owned(static_cast<delivery*>(waiting.arg));
    static_cast<void>(bus_.pass_on(owned->message));
  }
}

void instance::ask_to_stop() {
  // Called through a type that may throw, as all entries into the plugin are.
  void (*const request_stop)(rosey_instance*) = plugin().request_stop;
  try {
    request_stop(plugin_instance_);
  } catch (...) {
    spdlog::error("[{}] an exception escaped from request_stop", id_);
  }
}

std::optional<std::chrono::seconds> instance::stuck_for() const {
  const auto busy = thread_.busy_for();
  if (!busy || *busy < long_call) return std::nullopt;
  return std::chrono::floor<std::chrono::seconds>(*busy);
}

// The plugin has nothing left to do: take it down and prove that it is gone.
result<void> instance::finish() {
  if (!end_subscriptions(deadlines_.drain)) return give_up("a subscription did not end");
  thread_.close([this] { destroy_plugin(); });
  if (!thread_.wait_until_ended(deadlines_.destroy)) {
    return give_up(fmt::format("destroy did not return within {} ms", deadlines_.destroy.count()));
  }
  thread_.join();  // what thread-local state the plugin left is destroyed here
  if (const std::size_t left = thread_.heirs(deadlines_.grace); left > 0) {
    return give_up(fmt::format("left {} of its threads running", left));
  }
  if (const auto gone = library_.unload(); !gone) return give_up(gone.error().message);
  return {};
}

void instance::destroy_plugin() noexcept {
  if (!plugin_instance_) return;
  void (*const destroy)(rosey_instance*) = plugin().destroy;
  try {
    destroy(std::exchange(plugin_instance_, nullptr));
  } catch (...) {
    spdlog::error("[{}] an exception escaped from destroy", id_);
  }
}

error instance::give_up(std::string why) {
  stuck_ = true;
  end_subscriptions(std::chrono::milliseconds(0));
  return {"stuck", std::move(why)};
}

rosey_status instance::post(void* self, rosey_task_fn run, rosey_task_fn drop, void* arg) noexcept {
  if (!self || !run || !drop) return ROSEY_INVALID_ARGUMENT;
  try {
    auto& owner = *static_cast<instance*>(self);
    return owner.thread_.post({run, drop, arg}) ? ROSEY_OK : ROSEY_STOPPED;
  } catch (...) {
    return ROSEY_OUT_OF_MEMORY;
  }
}

rosey_status instance::subscribe(void* self, rosey_string subject, rosey_string queue_group,
                                 rosey_message_fn on_message, void* arg, std::uint64_t* id,
                                 rosey_error* error) noexcept {
  if (!self || !on_message || !id) {
    write_error(error, "subscribe: on_message and id must not be null");
    return ROSEY_INVALID_ARGUMENT;
  }
  try {
    if (!is_subscribable(view(subject))) {
      write_error(error, fmt::format("'{}' cannot be subscribed to: a subject begins with a "
                                     "literal token and holds no empty one or white space",
                                     view(subject)));
      return ROSEY_REFUSED;
    }
    if (!is_queue_group(view(queue_group))) {
      write_error(error, fmt::format("'{}' cannot be a queue group: it holds white space",
                                     view(queue_group)));
      return ROSEY_REFUSED;
    }
    const auto opened = static_cast<instance*>(self)->add_subscription(
        view(subject), view(queue_group), on_message, arg, *id);
    if (opened) return ROSEY_OK;
    write_error(error, opened.error().message);
    return opened.error().code == "stopped" ? ROSEY_STOPPED : ROSEY_FAILED;
  } catch (...) {
    write_error(error, "out of memory");
    return ROSEY_OUT_OF_MEMORY;
  }
}

result<void> instance::add_subscription(std::string_view subject, std::string_view queue_group,
                                        rosey_message_fn on_message, void* arg, std::uint64_t& id) {
  // Held until the entry is in the map: a subscription may end before subscribe() has returned.
  const std::lock_guard lock(mutex_);
  if (closing_ || (!queue_group.empty() && intake_state_ == no_more)) {
    return error{"stopped", "the plugin is closing"};
  }
  const auto entry = std::make_shared<plugin_subscription>();
  entry->id = last_subscription_ + 1;
  entry->subject = subject;
  entry->queue_group = queue_group;
  entry->on_message = on_message;
  entry->arg = arg;
  if (!entry->intake() || intake_state_ == open_now) {
    if (const auto opened = open(entry); !opened) return opened;
  }
  subscriptions_.emplace(++last_subscription_, entry);
  id = entry->id;
  return {};
}

// With the mutex held.
result<void> instance::open(const std::shared_ptr<plugin_subscription>& entry) {
  auto opened = bus_.subscribe(
      entry->subject, entry->queue_group,
      [this, entry](inbound_message message) {
        deliver(std::make_unique<delivery>(*this, entry, std::move(message)));
      },
      [this, entry] { on_subscription_finished(entry); });
  if (!opened) return opened.error();
  entry->handle = std::move(*opened);
  return {};
}

// What the plugin has subscribed with a queue group since create().
result<void> instance::open_intake() {
  {
    const std::lock_guard lock(mutex_);
    intake_state_ = open_now;
    for (const auto& [id, entry] : subscriptions_) {
      if (!entry->intake()) continue;
      if (auto opened = open(entry); !opened) return opened;
    }
  }
  return bus_.flush(deadlines_.start);
}

void instance::deliver(std::unique_ptr<delivery> arrived) {
  const std::lock_guard lock(intake_);
  const std::size_t waiting = waiting_;
  if (waiting > most_waiting) return refuse(arrived->message);
  if (overloaded_ && waiting <= most_waiting / 2) {
    spdlog::warn("[{}] it keeps up again; {} messages were refused", id_, refused_);
    overloaded_ = false;
  }
  if (holding_ && arrived->to->intake()) {
    held_.push_back(std::move(arrived));
  } else if (thread_.post({&delivery::run, &delivery::drop, arrived.get()})) {
    static_cast<void>(arrived.release());
  }
}

// With intake_ held.
void instance::refuse(const inbound_message& message) {
  if (!std::exchange(overloaded_, true)) {
    refused_ = 0;
    spdlog::error("[{}] {} messages wait for it; what comes now is refused", id_, most_waiting);
  }
  ++refused_;
  if (message.reply().empty()) return;
  const error why{codes::busy, fmt::format("The plugin '{}' has too much to do", id_)};
  const auto reply = boost::json::serialize(wire::to_json(wire::failed(why)));
  static_cast<void>(bus_.publish(message.reply(), reply));
}

void instance::release_intake() {
  const std::lock_guard lock(intake_);
  holding_ = false;
  for (auto& waiting : held_) {
    if (thread_.post({&delivery::run, &delivery::drop, waiting.get()})) {
      static_cast<void>(waiting.release());
    }
  }
  held_.clear();
}

void instance::on_subscription_finished(const std::shared_ptr<plugin_subscription>& entry) {
  subscription ended;  // destroyed after the lock is released
  const std::lock_guard lock(mutex_);
  ended = std::move(entry->handle);
  subscriptions_.erase(entry->id);
  // Behind the subscription's last message in the queue; called even if the queue is dropped.
  if (entry->done) thread_.post({entry->done, entry->done, entry->done_arg});
}

rosey_status instance::unsubscribe(void* self, std::uint64_t id, rosey_task_fn done,
                                   void* arg) noexcept {
  if (!self) return ROSEY_INVALID_ARGUMENT;
  auto& owner = *static_cast<instance*>(self);
  const std::lock_guard lock(owner.mutex_);
  const auto found = owner.subscriptions_.find(id);
  if (found == owner.subscriptions_.end()) return ROSEY_INVALID_ARGUMENT;
  const auto entry = found->second;
  if (entry->ended) return ROSEY_INVALID_ARGUMENT;
  entry->ended = true;
  entry->done = done;
  entry->done_arg = arg;
  if (entry->handle.active()) {
    entry->handle.end();
  } else {  // the intake has not been opened yet
    owner.subscriptions_.erase(found);
    if (done) owner.thread_.post({done, done, arg});
  }
  return ROSEY_OK;
}

// Drains the intake within `timeout`, or ends all subscriptions at once. The futures are ready when
// nothing of them can arrive any more.
std::vector<std::shared_future<void>> instance::close_subscriptions(
    bool intake_only, std::chrono::milliseconds timeout) {
  std::vector<std::shared_future<void>> finished;
  const std::lock_guard lock(mutex_);
  intake_state_ = no_more;
  if (!intake_only) closing_ = true;
  for (const auto& [id, entry] : subscriptions_) {
    // It has ended meanwhile, or was never opened.
    if (!entry->handle.active()) continue;
    if (!intake_only) {
      entry->handle.end();
    } else if (entry->intake()) {
      entry->handle.drain(timeout);
    } else {
      continue;
    }
    finished.push_back(entry->handle.finished());
  }
  return finished;
}

// Does not need the server. False if one of them has not ended by then.
bool instance::end_subscriptions(std::chrono::milliseconds timeout) {
  const auto deadline = steady::now() + timeout;
  for (const auto& finished : close_subscriptions(false, timeout)) {
    if (finished.wait_for(until(deadline)) != std::future_status::ready) return false;
  }
  return true;
}

void instance::stopped(void* self, rosey_status status) noexcept {
  auto& owner = *static_cast<instance*>(self);
  if (!owner.has_stopped_.exchange(true)) owner.stopped_promise_.set_value(status);
}

void instance::log(void* self, std::int32_t level, const char* text, std::size_t size) noexcept {
  static constexpr spdlog::level::level_enum levels[] = {spdlog::level::debug, spdlog::level::info,
                                                         spdlog::level::warn, spdlog::level::err};
  const bool known = level >= ROSEY_LOG_DEBUG && level <= ROSEY_LOG_ERROR;
  try {
    spdlog::log(known ? levels[level] : spdlog::level::info, "[{}] {}",
                static_cast<instance*>(self)->id_, std::string_view(text, size));
  } catch (...) {
    // A log that cannot be written is no reason to stop a plugin.
  }
}

const void* instance::get_ext(void*, const char*) noexcept {
  return nullptr;
}

}  // namespace rosey::host
