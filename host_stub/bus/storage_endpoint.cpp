#include "host_stub/bus/storage_endpoint.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <stdexcept>
#include <string>
#include <utility>

#include "rosey/wire/storage_decode.hpp"
#include "rosey/wire/subjects.hpp"

namespace rosey::host {
namespace {

namespace db = wire::db;

std::size_t max_payload(connection& bus) {
  return static_cast<std::size_t>(natsConnection_GetMaxPayload(bus.native()));
}

// Whoever asked hears something: also what the server would not carry is told.
void send(connection& bus, const std::string& to, std::string reply) {
  if (to.empty()) return;
  if (reply.size() > max_payload(bus)) {
    reply = db::encode(db::failure(error(
        db::codes::value_too_large, fmt::format("The answer has {} bytes; NATS carries at most {}",
                                                reply.size(), max_payload(bus)))));
  }
  if (const auto sent = bus.publish(to, reply); !sent) {
    spdlog::warn("storage: {}", sent.error().message);
  }
}

}  // namespace

std::size_t storage_endpoint::reply_limit(connection& bus) {
  return std::min(db::max_reply, max_payload(bus) / 2);
}

storage_endpoint::storage_endpoint(connection& bus, storage::service& service) {
  const auto take = [this](result<subscription> opened) {
    if (!opened) throw std::runtime_error(opened.error().message);
    subscriptions_.push_back(std::move(*opened));
  };
  for (const char* subject : wire::subjects::storage_all) {
    take(bus.subscribe(
        subject, wire::subjects::storage_queue_group, [&bus, &service](inbound_message request) {
          service.handle(request.subject(), std::string(request.payload()),
                         [&bus, to = std::string(request.reply())](std::string reply) {
                           send(bus, to, std::move(reply));
                         });
        }));
  }
  // Outside of the group: of several services each tells of itself.
  take(bus.subscribe(wire::subjects::monitoring_storage, "",
                     [&bus, &service](const inbound_message& request) {
                       send(bus, std::string(request.reply()), service.monitor());
                     }));
}

storage_endpoint::~storage_endpoint() {
  for (subscription& open : subscriptions_) open.drain();
  for (const subscription& open : subscriptions_) open.finished().wait();
}

}  // namespace rosey::host
