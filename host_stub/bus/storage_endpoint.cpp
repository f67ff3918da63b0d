#include "host_stub/bus/storage_endpoint.hpp"

#include <spdlog/spdlog.h>

#include <stdexcept>
#include <string>
#include <utility>

#include "rosey/wire/subjects.hpp"

namespace rosey::host {

storage_endpoint::storage_endpoint(connection& bus, storage::service& service) {
  for (const char* subject : wire::subjects::storage_all) {
    auto opened = bus.subscribe(
        subject, wire::subjects::storage_queue_group, [&bus, &service](inbound_message request) {
          service.handle(request.subject(), std::string(request.payload()),
                         [&bus, to = std::string(request.reply())](std::string reply) {
                           if (to.empty()) return;
                           if (const auto sent = bus.publish(to, reply); !sent) {
                             spdlog::warn("storage: {}", sent.error().message);
                           }
                         });
        });
    if (!opened) throw std::runtime_error(opened.error().message);
    subscriptions_.push_back(std::move(*opened));
  }
}

storage_endpoint::~storage_endpoint() {
  for (subscription& open : subscriptions_) open.drain();
  for (const subscription& open : subscriptions_) open.finished().wait();
}

}  // namespace rosey::host
