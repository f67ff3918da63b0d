// A program that asks over NATS, on libnats as it comes: what the host has built around libnats is
// under test, and must not stand on both sides.
#pragma once

#include <nats/nats.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>

namespace rosey::tests {

class soak_client {
 public:
  // Throws std::runtime_error if nobody answers there.
  explicit soak_client(const std::string& url);

  // The answer; none in time, or nobody listens there, or NATS is away.
  std::optional<std::string> request(const std::string& subject, const std::string& payload,
                                     std::chrono::milliseconds timeout);

  // Asks again when nobody listens yet, or there is no answer for long: what it asks without an id
  // may then be done twice. Throws std::runtime_error in the end.
  std::string ask(const std::string& subject, const std::string& payload);

  natsConnection* native() const { return connection_.get(); }

 private:
  std::unique_ptr<natsConnection, void (*)(natsConnection*)> connection_;
};

}  // namespace rosey::tests
