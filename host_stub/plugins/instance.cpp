#include "host_stub/plugins/instance.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstring>
#include <exception>
#include <utility>
#include <vector>

#include "host_stub/plugins/crash_report.hpp"
#include "host_stub/plugins/plugin_text.hpp"
#include "rosey/wire/printable.hpp"
#include "rosey/wire/subjects.hpp"
#include "rosey/wire/utf8.hpp"

namespace rosey::host {
namespace {

constexpr std::chrono::milliseconds no_call{0};

void write_error(rosey_error* error, std::string_view text) noexcept {
  if (!error) return;
  const std::string_view shown = wire::cut_utf8(text, ROSEY_ERROR_CAPACITY - 1);
  error->text[shown.copy(error->text, shown.size())] = '\0';
}

const char* meaning_of(rosey_status status) {
  switch (status) {
    case ROSEY_INVALID_ARGUMENT:
      return "an invalid argument";
    case ROSEY_STOPPED:
      return "too late";
    case ROSEY_UNSUPPORTED:
      return "a version or an extension is missing";
    case ROSEY_REFUSED:
      return "refused";
    case ROSEY_OUT_OF_MEMORY:
      return "out of memory";
    default:
      return "failed";
  }
}

// The plugin's sentence, whatever it did to the terminator; its status if it wrote none.
std::string reason_of(const rosey_error& error, rosey_status status) {
  const std::string_view said(error.text, ::strnlen(error.text, ROSEY_ERROR_CAPACITY));
  if (!said.empty()) return plugin_text(said);
  return fmt::format("status {} ({}), without a sentence", status, meaning_of(status));
}

std::string_view view(rosey_string text) {
  return text.data ? std::string_view(text.data, text.size) : std::string_view();
}

}  // namespace

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
      outcome =
          error{"refused", fmt::format("threw an exception: {}", plugin_text(escaped.what()))};
    } catch (...) {
      outcome = error{"refused", "threw an exception"};
    }
    // Without an instance nothing more may run, whatever the plugin has posted or subscribed.
    if (!self->owner.plugin_instance_) self->owner.thread_.only_drop();
    self->outcome.set_value(std::move(outcome));
  }
  static void drop(void* arg) { delete static_cast<startup*>(arg); }

  result<void> create_and_start() {
    const rosey_plugin& plugin = owner.plugin();
    rosey_error failure{};
    rosey_status (*const create)(const rosey_host*, rosey_instance**, rosey_error*) = plugin.create;
    rosey_instance* made = nullptr;
    if (const auto status = create(&owner.table_, &made, &failure); status != ROSEY_OK) {
      return error{"refused", "create failed: " + reason_of(failure, status)};
    }
    if (!made) return error{"refused", "create succeeded without an instance"};
    owner.plugin_instance_ = made;
    owner.starting_call_ = "start";
    rosey_status (*const start)(rosey_instance*, rosey_string, rosey_error*) = plugin.start;
    if (const auto status = start(made, {config.data(), config.size()}, &failure);
        status != ROSEY_OK) {
      return error{"refused", reason_of(failure, status)};
    }
    return {};
  }
};

instance::instance(library code, connection& bus, const plugin_deadlines& deadlines)
    : library_(std::move(code)),
      id_(library_.plugin().id),
      version_(plugin_text(library_.plugin().version, longest_label)),
      deadlines_(deadlines),
      bus_(bus),
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
      subscriptions_(id_, bus, thread_),
      thread_(id_, [this](const std::string& what) {
        spdlog::error("[{}] an exception escaped from the plugin: {}", id_, what);
      }) {}

std::uint64_t instance::next_number() {
  static std::atomic<std::uint64_t> last = 0;
  return ++last;
}

instance::~instance() {
  thread_.close({});
}

void instance::log_from(spdlog::level::level_enum least) {
  log_ = spdlog::default_logger()->clone(id_);
  log_->set_level(least);
}

result<void> instance::start(std::string config_json, bool hold) {
  const std::size_t refusals_before = bus_.refusals();
  std::unique_ptr<startup> first(new startup{*this, std::move(config_json), {}});
  std::future<result<void>> outcome = first->outcome.get_future();
  thread_.post({&startup::run, &startup::drop, first.release()});
  if (outcome.wait_for(deadlines_.start) != std::future_status::ready) {
    return give_up(fmt::format("{} did not return within {} ms", starting_call_.load(),
                               deadlines_.start.count()));
  }
  result<void> started = outcome.get();
  if (started) started = check_verbs();
  if (started) started = subscriptions_.open_intake(deadlines_.start);
  if (started) started = check_permissions(refusals_before);
  if (!started) {
    error why = started.error();
    subscriptions_.pass_on_held(deadlines_.drain);
    if (const auto gone = stop(); !gone) {
      why.message += "; it cannot be unloaded either: " + gone.error().message;
    }
    return why;
  }
  if (!hold) subscriptions_.release_intake();
  return {};
}

// Nobody would ever answer one that is listed and not subscribed to.
result<void> instance::check_verbs() {
  for (std::uint32_t index = 0; index < plugin().verb_count; ++index) {
    const rosey_verb& verb = *plugin().verbs[index];
    if (subscriptions_.listens_to(verb.subject)) continue;
    return error{"refused", fmt::format("its verb '{}' has no subscription: start must subscribe "
                                        "to {}",
                                        verb.name, verb.subject)};
  }
  return {};
}

// After the flush behind its subscriptions.
result<void> instance::check_permissions(std::size_t refusals_before) {
  std::set<std::string> subjects;
  {
    const std::lock_guard lock(starting_mutex_);
    subjects = std::exchange(starts_with_, std::nullopt).value_or(subjects);
  }
  std::vector<std::string> mine;
  for (std::string& subject : bus_.refused_since(refusals_before)) {
    if (subjects.contains(subject)) mine.push_back(std::move(subject));
  }
  if (mine.empty()) return {};
  return error{"refused", not_permitted(mine, "it")};
}

result<void> instance::stop(clock::time_point latest) {
  latest_ = latest;
  if (!plugin_instance_) return finish();  // create() failed: there is nothing to ask

  subscriptions_.release_intake();
  subscriptions_.drain_intake(patience_with_nats());
  ask_to_stop();
  const auto most = limited(deadlines_.stop);
  if (stopped_.wait_for(most) != std::future_status::ready) {
    return give_up(fmt::format("did not stop within {} ms", most.count()));
  }
  if (const rosey_status said = stopped_.get(); said != ROSEY_OK) {
    spdlog::warn("[{}] it stopped with status {} ({})", id_, said, meaning_of(said));
  }
  return finish();
}

// A NATS that does not answer may not take the time that the plugin has for its own end.
std::chrono::milliseconds instance::patience_with_nats() const {
  if (latest_ == never) return deadlines_.drain;
  const bool connected = natsConnection_Status(bus_.native()) == NATS_CONN_STATUS_CONNECTED;
  return connected ? limited(deadlines_.drain) / 3 : std::chrono::milliseconds(1);
}

// What is left of a deadline on the way down.
std::chrono::milliseconds instance::limited(std::chrono::milliseconds deadline) const {
  if (latest_ == never) return deadline;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(latest_ - clock::now());
  return std::clamp(left, std::chrono::milliseconds(0), deadline);
}

bool instance::come_to_rest(std::chrono::milliseconds timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  if (!subscriptions_.drain_intake(timeout)) return false;
  ask_to_stop();
  return stopped_.wait_until(deadline) == std::future_status::ready;
}

void instance::ask_to_stop() {
  // Called through a type that may throw, as all entries into the plugin are.
  const inside_plugin its_code(id_.c_str());
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
  if (!subscriptions_.end_all(limited(deadlines_.drain))) {
    return give_up("a subscription did not end");
  }
  thread_.close([this] { destroy_plugin(); });
  const auto most = limited(deadlines_.destroy);
  if (!thread_.wait_until_ended(most)) {
    return give_up(fmt::format("destroy did not return within {} ms", most.count()));
  }
  thread_.join();  // what thread-local state the plugin left is destroyed here
  if (const std::size_t left = thread_.heirs(limited(deadlines_.grace)); left > 0) {
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
  subscriptions_.end_all(std::chrono::milliseconds(0));
  const bool only_waits = latest_ != never && thread_.busy_for().value_or(no_call) < long_call / 2;
  if (!only_waits) return {"stuck", std::move(why)};
  return {"unfinished", std::move(why) + ": it waits for an answer that does not come"};
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
    auto& owner = *static_cast<instance*>(self);
    {
      const std::lock_guard lock(owner.starting_mutex_);
      if (owner.starts_with_) owner.starts_with_->emplace(view(subject));
    }
    const auto added =
        owner.subscriptions_.add(view(subject), view(queue_group), on_message, arg, *id);
    if (added) return ROSEY_OK;
    const std::string why = plugin_text(added.error().message);
    write_error(error, why);
    if (added.error().code == "refused") {
      spdlog::error("[{}] a subscription was refused: {}", owner.id_, why);
      return ROSEY_REFUSED;
    }
    return added.error().code == "stopped" ? ROSEY_STOPPED : ROSEY_FAILED;
  } catch (...) {
    write_error(error, "out of memory");
    return ROSEY_OUT_OF_MEMORY;
  }
}

rosey_status instance::unsubscribe(void* self, std::uint64_t id, rosey_task_fn done,
                                   void* arg) noexcept {
  if (!self) return ROSEY_INVALID_ARGUMENT;
  try {
    const bool ends = static_cast<instance*>(self)->subscriptions_.end(id, done, arg);
    return ends ? ROSEY_OK : ROSEY_INVALID_ARGUMENT;
  } catch (...) {
    return ROSEY_OUT_OF_MEMORY;
  }
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
    const auto& owner = *static_cast<instance*>(self);
    const auto log = owner.log_ ? owner.log_.get() : spdlog::default_logger_raw();
    log->log(known ? levels[level] : spdlog::level::info, "[{}] {}", owner.id_,
             plugin_text(view({text, size}), longest_log_line));
  } catch (...) {
    // A log that cannot be written is no reason to stop a plugin.
  }
}

rosey_status instance::publish(void* self, rosey_string subject, rosey_string reply,
                               rosey_string payload, rosey_error* error) noexcept {
  if (!self) return ROSEY_INVALID_ARGUMENT;
  try {
    if (reply.size != 0 && !wire::subjects::is_publishable(view(reply))) {
      write_error(error,
                  fmt::format("'{}' is not a subject to answer on", plugin_text(view(reply))));
      return ROSEY_INVALID_ARGUMENT;
    }
    const auto sent =
        static_cast<instance*>(self)->bus_.publish(view(subject), view(payload), view(reply));
    if (sent) return ROSEY_OK;
    write_error(error, plugin_text(sent.error().message));
    if (sent.error().code == "invalid_subject") return ROSEY_INVALID_ARGUMENT;
    return sent.error().code == "too_large" ? ROSEY_REFUSED : ROSEY_FAILED;
  } catch (...) {
    write_error(error, "out of memory");
    return ROSEY_OUT_OF_MEMORY;
  }
}

std::uint64_t instance::max_payload(void* self) noexcept {
  return static_cast<instance*>(self)->bus_.max_payload();
}

const void* instance::get_ext(void*, const char* id) noexcept {
  static constexpr rosey_publisher publisher{
      {sizeof(rosey_publisher), ROSEY_ABI_MAJOR, ROSEY_ABI_MINOR}, &publish, &max_payload};
  return id && std::string_view(id) == ROSEY_EXT_PUBLISHER ? &publisher : nullptr;
}

}  // namespace rosey::host
