#include "host_stub/bus/connection.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <cstdint>
#include <mutex>
#include <new>
#include <stdexcept>
#include <utility>

#include "host_stub/address.hpp"
#include "host_stub/bus/login.hpp"
#include "host_stub/bus/reconnecting.hpp"
#include "rosey/wire/subjects.hpp"

namespace rosey::host {
namespace {

// Bytes that may wait to be written; far more than a busy server leaves waiting.
constexpr std::size_t most_outgoing = 64 * 1024 * 1024;

error bus_error(natsStatus status, std::string_view what) {
  std::string code = "unavailable";
  if (status == NATS_TIMEOUT) code = "timeout";
  if (status == NATS_NO_RESPONDERS) code = "no_responders";
  return {std::move(code), std::string(what) + ": " + natsStatus_GetText(status)};
}

std::string unique_inbox() {
  natsInbox* made = nullptr;
  if (natsInbox_Create(&made) != NATS_OK) throw std::bad_alloc();
  std::string name = made;
  natsInbox_Destroy(made);
  return name;
}

}  // namespace

// Shared with libnats' callbacks, which come on a thread of its own, the last one (`on_closed`)
// after the connection has been closed.
struct connection::link {
  explicit link(const settings& options)
      : pace(options.target(), options.name), on_closed(options.on_closed) {}

  reconnecting pace;
  refused_subjects refused;
  std::atomic<std::size_t> max_payload = 0;
  std::atomic<bool> connected = true;
  std::atomic<bool> ending = false;
  std::mutex mutex;  // guards what follows
  outbox* out = nullptr;
  std::function<void(const std::string&)> on_closed;

  // As the closure of callbacks: the last one frees it.
  using closure = std::shared_ptr<link>;
  static link& of(void* held) { return **static_cast<closure*>(held); }

  void set_connected(bool now) {
    connected = now;
    const std::lock_guard lock(mutex);
    if (out) out->set_connected(now);
  }

  static void on_disconnected(natsConnection* lost, void* held) {
    of(held).set_connected(false);
    if (!natsConnection_IsClosed(lost)) spdlog::warn("lost the connection to NATS");
  }

  static void on_reconnected(natsConnection* back, void* held) {
    of(held).max_payload = static_cast<std::size_t>(natsConnection_GetMaxPayload(back));
    of(held).pace.succeeded();
    of(held).set_connected(true);
    spdlog::info("connected to NATS again");
  }

  static std::int64_t before_reconnect(natsConnection* away, int, void* held) {
    return of(held).pace.before_attempt(away).count();
  }

  static void on_error(natsConnection*, natsSubscription* subscription, natsStatus status,
                       void* held) {
    if (status == NATS_NOT_PERMITTED) {
      const char* text = nats_GetLastError(nullptr);
      spdlog::warn("NATS: {}", text ? text : "an action is not permitted");
      if (text) of(held).refused.note(text);
      return;
    }
    const char* subject = subscription ? natsSubscription_GetSubject(subscription) : nullptr;
    spdlog::warn("NATS: {} ({})", natsStatus_GetText(status), subject ? subject : "connection");
  }

  static void on_closed_for_good(natsConnection* gone, void* held) {
    const std::unique_ptr<closure> owned(static_cast<closure*>(held));
    link& self = **owned;
    if (self.ending) return;
    const char* text = nullptr;
    natsConnection_GetLastError(gone, &text);
    const std::string why = fmt::format("the connection to NATS has ended for good: {}",
                                        text && *text ? text : "libnats closed it");
    spdlog::error("{}", why);
    if (self.on_closed) self.on_closed(why);
  }
};

connection::connection(const settings& options)
    : link_(std::make_shared<link>(options)),
      retired_(std::make_shared<retired_subscriptions>()),
      connection_(nullptr, &natsConnection_Destroy) {
  // One thread for all connections with ordered delivery; a no-op after the first call.
  const nats_options nats = make_options(options.target(), options.url, options.name);
  nats_SetMessageDeliveryPoolSize(1);
  natsOptions_SetMaxReconnect(nats.get(), -1);
  natsOptions_UseGlobalMessageDelivery(nats.get(), options.mode == delivery::in_order);
  auto held = std::make_unique<link::closure>(link_);
  natsOptions_SetDisconnectedCB(nats.get(), &link::on_disconnected, held.get());
  natsOptions_SetReconnectedCB(nats.get(), &link::on_reconnected, held.get());
  natsOptions_SetErrorHandler(nats.get(), &link::on_error, held.get());
  natsOptions_SetClosedCB(nats.get(), &link::on_closed_for_good, held.get());
  natsOptions_SetCustomReconnectDelay(nats.get(), &link::before_reconnect, held.get());

  natsConnection* connected = nullptr;
  const natsStatus status = natsConnection_Connect(&connected, nats.get());
  if (status != NATS_OK) {
    const login_outcome tried = try_login(options.target(), options.name);
    throw std::runtime_error(!tried.reason.empty() ? tried.reason
                                                   : fmt::format("cannot reach NATS at {}: {}",
                                                                 printable_address(options.url),
                                                                 natsStatus_GetText(status)));
  }
  static_cast<void>(held.release());  // on_closed_for_good frees it
  connection_.reset(connected);
  link_->max_payload = static_cast<std::size_t>(natsConnection_GetMaxPayload(connected));
  open_outbox();
  free_retired();
  make_threads(options.timeout);
}

void connection::open_outbox() {
  outbox_ = std::make_unique<outbox>(most_outgoing, [](natsStatus failure, const auto& subject) {
    spdlog::warn("NATS: a message on {} was not sent: {}", subject, natsStatus_GetText(failure));
  });
  outbox_->open(native());
  const std::lock_guard lock(link_->mutex);
  link_->out = outbox_.get();
  outbox_->set_connected(link_->connected);
}

// Without the right to subscribe to an inbox they are kept until the connection ends.
void connection::free_retired() {
  const std::string inbox = unique_inbox();
  auto opened = subscribe(inbox, "", [retired = retired_](const inbound_message& marker) {
    std::uint64_t number = 0;
    const std::string_view text = marker.payload();
    std::from_chars(text.data(), text.data() + text.size(), number);
    retired->reached(number);
  });
  if (!opened) return;
  markers_ = std::move(*opened);
  retired_->open([out = outbox_.get(), inbox](std::uint64_t number) {
    out->add({inbox, {}, std::to_string(number)});
  });
}

// libnats makes its delivery threads when it first needs them, and a thread inherits the name of
// the one that makes it. So that is not left to a plugin's thread: what looks for threads that a
// plugin left behind would find libnats' there.
void connection::make_threads(std::chrono::milliseconds timeout) {
  const std::string nobody = unique_inbox();
  static_cast<void>(request(nobody, "", timeout));
  static_cast<void>(subscribe(nobody, "", [](const inbound_message&) {}));
}

connection::~connection() {
  close();
  const std::lock_guard lock(link_->mutex);
  link_->out = nullptr;
}

void connection::close() {
  if (link_->ending.exchange(true)) return;
  link_->pace.end();
  retired_->stop();
  markers_.end();
  outbox_->close();
  natsConnection_Close(connection_.get());
  retired_->close();
}

bool connection::connected() const {
  return link_->connected;
}

std::size_t connection::max_payload() const {
  return link_->max_payload;
}

result<void> connection::publish(std::string_view subject, std::string_view payload,
                                 std::string_view reply) {
  if (!wire::subjects::is_publishable(subject)) {
    return error{"invalid_subject", fmt::format("'{}' is not a subject to publish on", subject)};
  }
  if (payload.size() > max_payload()) {
    return error{"too_large", fmt::format("a message on {} has {} bytes; NATS carries at most {}",
                                          subject, payload.size(), max_payload())};
  }
  if (outbox_->add({std::string(subject), std::string(reply), std::string(payload)})) return {};
  return error{"unavailable",
               fmt::format("cannot publish on {}: {} and too much waits to be sent", subject,
                           connected() ? "NATS is slow," : "not connected to NATS,")};
}

result<void> connection::pass_on(inbound_message message) {
  std::string subject(message.subject());
  if (outbox_->add({subject, {}, {}, std::move(message)})) return {};
  return error{"unavailable", "cannot pass on a message on " + subject};
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
  const std::string name(subject);
  auto [opened, status] = subscription::open(native(), retired_, name, std::string(queue_group),
                                             std::move(handler), std::move(on_finished));
  if (status != NATS_OK) return bus_error(status, "cannot subscribe to " + name);
  return subscription(std::move(opened));
}

result<std::unique_ptr<burst_subscription>> connection::subscribe_to_bursts(
    std::span<const char* const> subjects, const char* queue_group,
    burst_subscription::burst_handler handler) {
  std::unique_ptr<burst_subscription> made(new burst_subscription(retired_, std::move(handler)));
  for (const char* subject : subjects) {
    const natsStatus status = made->open(native(), subject, queue_group);
    if (status != NATS_OK) return bus_error(status, std::string("cannot subscribe to ") + subject);
  }
  return made;
}

result<void> connection::flush(std::chrono::milliseconds timeout) {
  if (!outbox_->wait_until_empty(timeout)) {
    return error{"unavailable", "NATS does not take what is sent"};
  }
  const natsStatus status = outbox_->flush(timeout);
  if (status != NATS_OK) return bus_error(status, "NATS does not answer");
  return {};
}

std::size_t connection::refusals() const {
  return link_->refused.count();
}

std::vector<std::string> connection::refused_since(std::size_t mark) const {
  return link_->refused.since(mark, native());
}

}  // namespace rosey::host
