#include "host_stub/storage_endpoint.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <functional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "rosey/wire/storage_decode.hpp"
#include "rosey/wire/subjects.hpp"

namespace rosey::host {
namespace {

namespace db = wire::db;

// Whoever asked hears something: also what the server would not carry is told.
void send(connection& bus, const std::string& to, std::string reply) {
  if (to.empty()) return;
  if (reply.size() > bus.max_payload()) {
    reply = db::encode(db::failure(error(
        db::codes::value_too_large, fmt::format("The answer has {} bytes; NATS carries at most {}",
                                                reply.size(), bus.max_payload()))));
  }
  if (const auto sent = bus.publish(to, reply); !sent) {
    spdlog::warn("storage: {}", sent.error().message);
  }
}

std::function<void(std::string)> answer_to(connection& bus, const inbound_message& request) {
  return [&bus, to = std::string(request.reply())](std::string reply) {
    send(bus, to, std::move(reply));
  };
}

// On which the request was sent for the first time.
std::string first_subject(std::string_view again) {
  again.remove_prefix(wire::subjects::storage_again_prefix.size());
  return std::string(wire::subjects::storage_prefix) + std::string(again);
}

}  // namespace

std::size_t storage_endpoint::reply_limit(connection& bus) {
  return std::min(db::max_reply, bus.max_payload() / 2);
}

storage_endpoint::storage_endpoint(connection& bus, storage::service& service) {
  auto requests = bus.subscribe_to_bursts(
      wire::subjects::storage_all, wire::subjects::storage_queue_group,
      [&bus, &service](const std::vector<inbound_message>& burst) {
        std::vector<storage::incoming> together;
        together.reserve(burst.size());
        for (const inbound_message& request : burst) {
          together.push_back({request.subject(), request.payload(), answer_to(bus, request)});
        }
        service.handle(together);
      });
  if (!requests) throw std::runtime_error(requests.error().message);
  requests_ = std::move(*requests);
  // Outside of the group: a second copy, which each service takes.
  auto copies = bus.subscribe(wire::subjects::storage_again, "",
                              [&bus, &service](const inbound_message& request) {
                                const std::string subject = first_subject(request.subject());
                                service.handle(subject, request.payload(), answer_to(bus, request));
                              });
  if (!copies) throw std::runtime_error(copies.error().message);
  copies_ = std::move(*copies);
  // Outside of the group: of several services each tells of itself.
  auto monitoring = bus.subscribe(wire::subjects::monitoring_storage, "",
                                  [&bus, &service](const inbound_message& request) {
                                    send(bus, std::string(request.reply()), service.monitor());
                                  });
  if (!monitoring) throw std::runtime_error(monitoring.error().message);
  monitoring_ = std::move(*monitoring);
}

storage_endpoint::~storage_endpoint() {
  monitoring_.end();
  copies_.end();
  requests_.reset();
  copies_.finished().wait();
  monitoring_.finished().wait();
}

}  // namespace rosey::host
