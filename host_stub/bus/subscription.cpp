// Around libnats' subscriptions: the order in which they end, and the moment at which they are
// freed.
#include "host_stub/bus/subscription.hpp"

#include <pthread.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <utility>

namespace rosey::host {

void retired_subscriptions::add(natsSubscription* ended) {
  {
    const std::lock_guard lock(mutex_);
    if (!closed_) {
      kept_.emplace_back(++last_, ended);
      // If this one is lost with its connection, the next one does the work.
      if (publish_) publish_(last_);
      return;
    }
  }
  natsSubscription_Destroy(ended);
}

void retired_subscriptions::open(std::function<void(std::uint64_t)> publish) {
  const std::lock_guard lock(mutex_);
  publish_ = std::move(publish);
}

void retired_subscriptions::reached(std::uint64_t number) {
  std::vector<natsSubscription*> freed;
  {
    const std::lock_guard lock(mutex_);
    while (!kept_.empty() && kept_.front().first <= number) {
      freed.push_back(kept_.front().second);
      kept_.pop_front();
    }
  }
  for (natsSubscription* each : freed) natsSubscription_Destroy(each);
}

void retired_subscriptions::stop() {
  const std::lock_guard lock(mutex_);
  publish_ = nullptr;
}

void retired_subscriptions::close() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  reached(std::numeric_limits<std::uint64_t>::max());
}

std::size_t retired_subscriptions::kept() const {
  const std::lock_guard lock(mutex_);
  return kept_.size();
}

struct subscription::state {
  message_handler handler;
  std::function<void()> on_finished;
  std::shared_ptr<retired_subscriptions> retired;
  std::promise<void> promise;
  std::shared_future<void> finished = promise.get_future().share();
  std::mutex mutex;  // guards the next two
  natsSubscription* native = nullptr;
  enum { open, draining, ended } progress = open;
  // Keeps this alive until libnats has called on_complete; then it is empty.
  std::shared_ptr<state> self;

  ~state() {
    if (native) retired->add(native);
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

std::pair<std::shared_ptr<subscription::state>, natsStatus> subscription::open(
    natsConnection* connection, std::shared_ptr<retired_subscriptions> retired,
    const std::string& subject, const std::string& queue_group, message_handler handler,
    std::function<void()> on_finished) {
  auto made = std::make_shared<state>();
  made->handler = std::move(handler);
  made->on_finished = std::move(on_finished);
  made->retired = std::move(retired);
  // Messages may arrive, and the subscription end, before the calls below have returned.
  const std::lock_guard lock(made->mutex);
  const natsStatus status =
      queue_group.empty()
          ? natsConnection_Subscribe(&made->native, connection, subject.c_str(), &state::on_message,
                                     made.get())
          : natsConnection_QueueSubscribe(&made->native, connection, subject.c_str(),
                                          queue_group.c_str(), &state::on_message, made.get());
  if (status != NATS_OK) return {nullptr, status};
  made->self = made;
  natsSubscription_SetOnCompleteCB(made->native, &state::on_complete, made.get());
  return {made, NATS_OK};
}

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

natsStatus burst_subscription::open(natsConnection* connection, const char* subject,
                                    const char* queue_group) {
  natsSubscription* opened = nullptr;
  const natsStatus status =
      natsConnection_QueueSubscribeSync(&opened, connection, subject, queue_group);
  if (status != NATS_OK) return status;
  natives_.push_back(opened);
  threads_.emplace_back([this, opened] { run(opened); });
  return NATS_OK;
}

burst_subscription::~burst_subscription() {
  constexpr std::chrono::milliseconds patience = drain_timeout;
  for (natsSubscription* each : natives_) {
    if (natsSubscription_DrainTimeout(each, patience.count()) != NATS_OK) {
      natsSubscription_Unsubscribe(each);
    }
  }
  for (std::thread& each : threads_) each.join();
  for (natsSubscription* each : natives_) retired_->add(each);
}

void burst_subscription::run(natsSubscription* native) const {
  ::pthread_setname_np(::pthread_self(), "nats-bursts");
  constexpr std::int64_t an_hour = 3'600'000;  // milliseconds; then the same again
  for (;;) {
    natsMsg* message = nullptr;
    const natsStatus status = natsSubscription_NextMsg(&message, native, an_hour);
    if (status == NATS_SLOW_CONSUMER) continue;  // some were dropped, and the log says so
    if (status == NATS_TIMEOUT && natsSubscription_IsValid(native)) continue;
    if (status != NATS_OK) return;
    std::vector<inbound_message> burst;
    burst.emplace_back(message);
    while (natsSubscription_NextMsg(&message, native, 0) == NATS_OK) burst.emplace_back(message);
    handler_(std::move(burst));
  }
}

}  // namespace rosey::host
