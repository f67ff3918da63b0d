#include "host_stub/bus/connection.hpp"

#include <spdlog/spdlog.h>

#include <mutex>
#include <stdexcept>
#include <utility>

namespace rosey::host {
namespace {

error bus_error(natsStatus status, std::string_view what) {
  std::string code = "unavailable";
  if (status == NATS_TIMEOUT) code = "timeout";
  if (status == NATS_NO_RESPONDERS) code = "no_responders";
  return {std::move(code), std::string(what) + ": " + natsStatus_GetText(status)};
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
void on_error(natsConnection*, natsSubscription* subscription, natsStatus status, void*) {
  const char* subject = subscription ? natsSubscription_GetSubject(subscription) : nullptr;
  spdlog::warn("NATS: {} ({})", natsStatus_GetText(status), subject ? subject : "connection");
}

}  // namespace

struct subscription::state {
  message_handler handler;
  std::function<void()> on_finished;
  std::promise<void> promise;
  std::shared_future<void> finished = promise.get_future().share();
  std::mutex mutex;  // guards `native` against ending twice
  natsSubscription* native = nullptr;
  bool ending = false;
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

void subscription::drain() {
  if (!state_) return;
  const std::lock_guard lock(state_->mutex);
  if (std::exchange(state_->ending, true)) return;
  if (natsSubscription_Drain(state_->native) != NATS_OK) {
    natsSubscription_Unsubscribe(state_->native);
  }
}

void subscription::end() {
  if (!state_) return;
  const std::lock_guard lock(state_->mutex);
  if (std::exchange(state_->ending, true)) return;
  natsSubscription_Unsubscribe(state_->native);
}

std::shared_future<void> subscription::finished() const {
  return state_->finished;
}

connection::connection(const settings& options) : connection_(nullptr, &natsConnection_Destroy) {
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
  natsOptions_SetName(made, options.name.c_str());
  natsOptions_SetTimeout(made, options.timeout.count());
  natsOptions_SetMaxReconnect(made, -1);
  natsOptions_SetReconnectWait(made, 250);
  // Without it libnats' flusher sleeps a millisecond before each write.
  natsOptions_SetSendAsap(made, true);
  natsOptions_UseGlobalMessageDelivery(made, options.mode == delivery::in_order);
  natsOptions_SetDisconnectedCB(made, &on_disconnected, nullptr);
  natsOptions_SetReconnectedCB(made, &on_reconnected, nullptr);
  natsOptions_SetErrorHandler(made, &on_error, nullptr);

  natsConnection* connected = nullptr;
  status = natsConnection_Connect(&connected, made);
  if (status != NATS_OK) {
    throw std::runtime_error("cannot reach NATS at " + without_credentials(options.url) + ": " +
                             natsStatus_GetText(status));
  }
  connection_.reset(connected);
}

connection::~connection() {
  natsConnection_Close(connection_.get());
}

result<void> connection::publish(std::string_view subject, std::string_view payload) {
  const natsStatus status = natsConnection_Publish(
      native(), std::string(subject).c_str(), payload.data(), static_cast<int>(payload.size()));
  if (status != NATS_OK) return bus_error(status, "cannot publish on " + std::string(subject));
  return {};
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

result<void> connection::flush(std::chrono::milliseconds timeout) {
  const natsStatus status = natsConnection_FlushTimeout(native(), timeout.count());
  if (status != NATS_OK) return bus_error(status, "NATS does not answer");
  return {};
}

}  // namespace rosey::host
