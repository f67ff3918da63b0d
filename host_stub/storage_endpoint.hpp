// The storage service on the bus: takes its requests from NATS and sends its replies.
#pragma once

#include <cstddef>
#include <memory>

#include "host_stub/bus/connection.hpp"
#include "host_stub/storage/service.hpp"

namespace rosey::host {

class storage_endpoint {
 public:
  // Bytes that an answer may have: half of what the server carries, and no more than readers
  // expect.
  static std::size_t reply_limit(connection& bus);

  // `bus` and `service` must outlive it. What else is on `bus` waits while a request is decoded, so
  // it should have one of its own.
  // Throws std::runtime_error if it cannot subscribe.
  storage_endpoint(connection& bus, storage::service& service);
  // Takes no more requests, and waits until those that arrived are handed over. The service, which
  // is destroyed next, answers them.
  ~storage_endpoint();
  storage_endpoint(const storage_endpoint&) = delete;
  storage_endpoint& operator=(const storage_endpoint&) = delete;

 private:
  std::unique_ptr<burst_subscription> requests_;
  subscription copies_;
  subscription monitoring_;
};

}  // namespace rosey::host
