#include "host_stub/bus/connection.hpp"

#include <pthread.h>
#include <sched.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstdint>
#include <mutex>
#include <new>
#include <stdexcept>
#include <thread>
#include <utility>

namespace rosey::host {
namespace {

error bus_error(natsStatus status, std::string_view what) {
  std::string code = "unavailable";
  if (status == NATS_TIMEOUT) code = "timeout";
  if (status == NATS_NO_RESPONDERS) code = "no_responders";
  return {std::move(code), std::string(what) + ": " + natsStatus_GetText(status)};
}

// libnats frees messages on a thread of its own and wakes it for nearly every one. Threads inherit
// their policy from the one that makes them, and with this one it does not push aside the thread
// that has just let go of a message, and will of the next.
void open_library() {
  std::thread([] {
    const sched_param none{};
    pthread_setschedparam(pthread_self(), SCHED_BATCH, &none);
    nats_Open(-1);
  }).join();
}

// What may be shown of a URL: not the token or password before the '@'.
std::string without_credentials(std::string_view url) {
  const auto scheme = url.find("://");
  const auto begin = scheme == std::string_view::npos ? 0 : scheme + 3;
  const auto at = url.find('@', begin);
  if (at == std::string_view::npos) return std::string(url);
  return std::string(url.substr(0, begin)) + std::string(url.substr(at + 1));
}

void on_disconnected(natsConnection* lost, void*) {
  if (!natsConnection_IsClosed(lost)) spdlog::warn("lost the connection to NATS");
}
void on_reconnected(natsConnection*, void*) {
  spdlog::info("connected to NATS again");
}
void on_error(natsConnection*, natsSubscription* subscription, natsStatus status, void* refused) {
  if (status == NATS_NOT_PERMITTED) {
    const char* text = nats_GetLastError(nullptr);
    spdlog::warn("NATS: {}", text ? text : "an action is not permitted");
    if (text) (*static_cast<std::shared_ptr<refused_subjects>*>(refused))->note(text);
    return;
  }
  const char* subject = subscription ? natsSubscription_GetSubject(subscription) : nullptr;
  spdlog::warn("NATS: {} ({})", natsStatus_GetText(status), subject ? subject : "connection");
}
// The last callback of a connection.
void on_closed(natsConnection*, void* refused) {
  delete static_cast<std::shared_ptr<refused_subjects>*>(refused);
}

}  // namespace

struct subscription::state {
  message_handler handler;
  std::function<void()> on_finished;
  std::promise<void> promise;
  std::shared_future<void> finished = promise.get_future().share();
  std::mutex mutex;  // guards the next two
  natsSubscription* native = nullptr;
  enum { open, draining, ended } progress = open;
  // Keeps this alive until libnats has called on_complete; then it is empty.
  std::shared_ptr<state> self;

  ~state() {
    if (native) natsSubscription_Destroy(native);
  }

  static void on_message(natsConnection*, natsSubscription*, natsMsg* message, void* closure) {
    inbound_message owned(message);
    static_cast<state*>(closure)->handler(std::move(owned));
  }

  static void on_complete(void* closure) {
    const auto keep = std::move(static_cast<state*>(closure)->self);
    if (keep->on_finished) keep->on_finished();
    keep->promise.set_value();
  }
};

subscription& subscription::operator=(subscription&& other) noexcept {
  if (this != &other) {
    end();
    state_ = std::move(other.state_);
  }
  return *this;
}

void subscription::drain(std::chrono::milliseconds timeout) {
  if (!state_) return;
  const std::lock_guard lock(state_->mutex);
  if (state_->progress != state::open) return;
  state_->progress = state::draining;
  // libnats takes 0 for "no timeout".
  const auto at_least_one = std::max<std::int64_t>(timeout.count(), 1);
  if (natsSubscription_DrainTimeout(state_->native, at_least_one) != NATS_OK) {
    state_->progress = state::ended;
    natsSubscription_Unsubscribe(state_->native);
  }
}

void subscription::end() {
  if (!state_) return;
  const std::lock_guard lock(state_->mutex);
  if (std::exchange(state_->progress, state::ended) == state::ended) return;
  natsSubscription_Unsubscribe(state_->native);
}

std::shared_future<void> subscription::finished() const {
  return state_->finished;
}

burst_subscription::burst_subscription(event_loop& loop, burst_handler handler)
    : loop_(loop), handler_(std::move(handler)) {}

burst_subscription::~burst_subscription() {
  constexpr std::chrono::milliseconds patience = drain_timeout;
  for (const auto& each : natives_) {
    if (natsSubscription_DrainTimeout(each.get(), patience.count()) != NATS_OK) {
      natsSubscription_Unsubscribe(each.get());
    }
  }
  for (const auto& each : natives_) {
    natsSubscription_WaitForDrainCompletion(each.get(), 2 * patience.count());
  }
  loop_.on_read({});
}

void burst_subscription::hand_over() const {
  std::vector<inbound_message> burst;
  for (const auto& each : natives_) {
    int waiting = 0;
    natsSubscription_GetPending(each.get(), &waiting, nullptr);
    for (; waiting > 0; --waiting) {
      natsMsg* message = nullptr;
      if (natsSubscription_NextMsg(&message, each.get(), 0) == NATS_OK) burst.emplace_back(message);
    }
  }
  if (!burst.empty()) handler_(std::move(burst));
}

connection::connection(const settings& options)
    : loop_(std::make_unique<event_loop>()), connection_(nullptr, &natsConnection_Destroy) {
  static std::once_flag opened;
  std::call_once(opened, open_library);
  // One thread for all connections with ordered delivery; a no-op after the first call.
  nats_SetMessageDeliveryPoolSize(1);

  natsOptions* made = nullptr;
  if (natsOptions_Create(&made) != NATS_OK) throw std::bad_alloc();
  const std::unique_ptr<natsOptions, void (*)(natsOptions*)> nats(made, &natsOptions_Destroy);
  natsStatus status = natsOptions_SetURL(made, options.url.c_str());
  if (status != NATS_OK) {
    throw std::runtime_error("'" + without_credentials(options.url) +
                             "' is not a NATS URL; one looks like nats://127.0.0.1:4222");
  }
  if (options.url.starts_with("tls://") && natsOptions_SetSecure(made, true) != NATS_OK) {
    throw std::runtime_error("this libnats knows no TLS");
  }
  natsOptions_SetName(made, options.name.c_str());
  natsOptions_SetTimeout(made, options.timeout.count());
  natsOptions_SetMaxReconnect(made, -1);
  natsOptions_SetReconnectWait(made, 250);
  // Without it libnats' flusher sleeps a millisecond before it tells the loop.
  natsOptions_SetSendAsap(made, true);
  loop_->serve(made);
  natsOptions_UseGlobalMessageDelivery(made, options.mode == delivery::in_order);
  natsOptions_SetDisconnectedCB(made, &on_disconnected, nullptr);
  natsOptions_SetReconnectedCB(made, &on_reconnected, nullptr);
  auto refused = std::make_unique<std::shared_ptr<refused_subjects>>(refused_);
  natsOptions_SetErrorHandler(made, &on_error, refused.get());
  natsOptions_SetClosedCB(made, &on_closed, refused.get());

  natsConnection* connected = nullptr;
  status = natsConnection_Connect(&connected, made);
  if (status != NATS_OK) {
    throw std::runtime_error("cannot reach NATS at " + without_credentials(options.url) + ": " +
                             natsStatus_GetText(status));
  }
  connection_.reset(connected);
  static_cast<void>(refused.release());  // on_closed has it
  make_threads(options.timeout);
}

// libnats makes its delivery threads when it first needs them, and a thread inherits the name of
// the one that makes it. So that is not left to a plugin's thread: whoever looks for threads that a
// plugin left behind would find libnats' there.
void connection::make_threads(std::chrono::milliseconds timeout) {
  natsInbox* made = nullptr;
  if (natsInbox_Create(&made) != NATS_OK) throw std::bad_alloc();
  const std::string nobody = made;
  natsInbox_Destroy(made);
  static_cast<void>(request(nobody, "", timeout));
  static_cast<void>(subscribe(nobody, "", [](const inbound_message&) {}));
}

connection::~connection() {
  close();
}

void connection::close() {
  // First, so that nobody reads from the socket that is closed next.
  loop_->stop();
  natsConnection_Close(connection_.get());
}

result<void> connection::publish(std::string_view subject, std::string_view payload,
                                 std::string_view reply) {
  const std::string to(subject);
  const int size = static_cast<int>(payload.size());
  const natsStatus status =
      reply.empty() ? natsConnection_Publish(native(), to.c_str(), payload.data(), size)
                    : natsConnection_PublishRequest(
                          native(), to.c_str(), std::string(reply).c_str(), payload.data(), size);
  if (status != NATS_OK) return bus_error(status, "cannot publish on " + to);
  return {};
}

result<void> connection::pass_on(const inbound_message& message) {
  const natsStatus status = natsConnection_PublishMsg(native(), message.message_.get());
  if (status == NATS_OK) return {};
  return bus_error(status, "cannot pass on a message on " + std::string(message.subject()));
}

result<std::string> connection::request(std::string_view subject, std::string_view payload,
                                        std::chrono::milliseconds timeout) {
  natsMsg* reply = nullptr;
  const natsStatus status =
      natsConnection_Request(&reply, native(), std::string(subject).c_str(), payload.data(),
                             static_cast<int>(payload.size()), timeout.count());
  if (status != NATS_OK) return bus_error(status, "no answer on " + std::string(subject));
  const inbound_message owned(reply);
  return std::string(owned.payload());
}

result<subscription> connection::subscribe(std::string_view subject, std::string_view queue_group,
                                           subscription::message_handler handler,
                                           std::function<void()> on_finished) {
  auto shared = std::make_shared<subscription::state>();
  shared->handler = std::move(handler);
  shared->on_finished = std::move(on_finished);
  // Messages may arrive, and the subscription end, before the calls below have returned.
  const std::lock_guard lock(shared->mutex);
  const std::string name(subject);
  const std::string group(queue_group);
  const natsStatus status =
      group.empty()
          ? natsConnection_Subscribe(&shared->native, native(), name.c_str(),
                                     &subscription::state::on_message, shared.get())
          : natsConnection_QueueSubscribe(&shared->native, native(), name.c_str(), group.c_str(),
                                          &subscription::state::on_message, shared.get());
  if (status != NATS_OK) return bus_error(status, "cannot subscribe to " + name);
  shared->self = shared;
  natsSubscription_SetOnCompleteCB(shared->native, &subscription::state::on_complete, shared.get());
  return subscription(shared);
}

result<std::unique_ptr<burst_subscription>> connection::subscribe_to_bursts(
    std::span<const char* const> subjects, const char* queue_group,
    burst_subscription::burst_handler handler) {
  std::unique_ptr<burst_subscription> made(new burst_subscription(*loop_, std::move(handler)));
  for (const char* subject : subjects) {
    natsSubscription* opened = nullptr;
    const natsStatus status =
        natsConnection_QueueSubscribeSync(&opened, native(), subject, queue_group);
    if (status != NATS_OK) return bus_error(status, std::string("cannot subscribe to ") + subject);
    made->natives_.emplace_back(opened, &natsSubscription_Destroy);
  }
  loop_->on_read([bursts = made.get()] { bursts->hand_over(); });
  return made;
}

result<void> connection::flush(std::chrono::milliseconds timeout) {
  const natsStatus status = natsConnection_FlushTimeout(native(), timeout.count());
  if (status != NATS_OK) return bus_error(status, "NATS does not answer");
  return {};
}

}  // namespace rosey::host
