#include "soak/client.hpp"

#include <stdexcept>
#include <thread>

#include "integration/support/process.hpp"

namespace rosey::tests {
namespace {

using namespace std::chrono_literals;

natsConnection* connect(const std::string& url) {
  natsOptions* options = nullptr;
  natsOptions_Create(&options);
  natsOptions_SetURL(options, url.c_str());
  natsOptions_SetMaxReconnect(options, -1);
  natsOptions_SetReconnectWait(options, 20);
  natsOptions_SetReconnectJitter(options, 10, 10);
  natsOptions_SetPingInterval(options, 1000);
  natsOptions_SetMaxPingsOut(options, 2);
  natsOptions_SetSendAsap(options, true);
  natsConnection* made = nullptr;
  const natsStatus status = natsConnection_Connect(&made, options);
  natsOptions_Destroy(options);
  if (status != NATS_OK) throw std::runtime_error(url + ": " + natsStatus_GetText(status));
  return made;
}

}  // namespace

soak_client::soak_client(const std::string& url)
    : connection_(connect(url), &natsConnection_Destroy) {}

std::optional<std::string> soak_client::request(const std::string& subject,
                                                const std::string& payload,
                                                std::chrono::milliseconds timeout) {
  natsMsg* raw = nullptr;
  const natsStatus status =
      natsConnection_Request(&raw, connection_.get(), subject.c_str(), payload.data(),
                             static_cast<int>(payload.size()), timeout.count());
  const std::unique_ptr<natsMsg, void (*)(natsMsg*)> message(raw, &natsMsg_Destroy);
  if (status != NATS_OK) {
    if (status != NATS_TIMEOUT) std::this_thread::sleep_for(10ms);  // that came at once
    return std::nullopt;
  }
  return std::string(natsMsg_GetData(raw), static_cast<std::size_t>(natsMsg_GetDataLength(raw)));
}

std::string soak_client::ask(const std::string& subject, const std::string& payload) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (std::chrono::steady_clock::now() < deadline) {
    if (auto answer = request(subject, payload, 20s)) return *answer;
  }
  throw std::runtime_error("no answer to " + subject + " " + payload);
}

}  // namespace rosey::tests
