#include "bench/echo.hpp"

#include <fmt/format.h>
#include <nats/nats.h>

#include <atomic>
#include <cstdio>
#include <stdexcept>

namespace rosey::bench {
namespace {

constexpr char crowd_inbox[] = "bench.echoes";

natsStatus connect(natsConnection** made, const std::string& url, echo_service::sending how) {
  natsOptions* options = nullptr;
  natsOptions_Create(&options);
  natsOptions_SetURL(options, url.c_str());
  natsOptions_SetSendAsap(options, how == echo_service::sending::at_once);
  const natsStatus status = natsConnection_Connect(made, options);
  natsOptions_Destroy(options);
  return status;
}

void answer_with_itself(natsConnection* bus, natsSubscription*, natsMsg* message, void*) {
  natsConnection_Publish(bus, natsMsg_GetReply(message), natsMsg_GetData(message),
                         natsMsg_GetDataLength(message));
  natsMsg_Destroy(message);
}

const char* name_of(echo_service::sending how) {
  return how == echo_service::sending::at_once ? "at_once" : "buffered";
}

// Those who ask; used by one thread of libnats' when all have begun.
struct echo_crowd {
  void ask(natsConnection* bus) const {
    natsConnection_PublishRequest(bus, echo_subject, crowd_inbox, payload.data(),
                                  static_cast<int>(payload.size()));
  }

  const std::string& payload;
  std::atomic<std::int64_t> answered = 0;
  std::atomic<int> under_way = 0;
  std::atomic<bool> stopping = false;
};

void ask_again(natsConnection* bus, natsSubscription*, natsMsg* message, void* crowd) {
  auto& all = *static_cast<echo_crowd*>(crowd);
  natsMsg_Destroy(message);
  ++all.answered;
  if (!all.stopping) return all.ask(bus);
  --all.under_way;  // the last that is done with `all`
}

}  // namespace

echo_service::echo_service(const std::string& nats_url, sending how)
    : process_({"/proc/self/exe", "--echo", nats_url, name_of(how)}, "/") {
  process_.wait_for_log("ready");
}

int echo_service::serve(const std::string& nats_url, sending how) {
  natsConnection* bus = nullptr;
  natsSubscription* requests = nullptr;
  if (connect(&bus, nats_url, how) != NATS_OK ||
      natsConnection_Subscribe(&requests, bus, echo_subject, &answer_with_itself, nullptr) !=
          NATS_OK ||
      natsConnection_Flush(bus) != NATS_OK) {
    return 1;
  }
  fmt::print(stderr, "ready\n");
  std::fflush(stderr);
  while (std::getchar() != EOF) {
  }
  natsSubscription_Destroy(requests);
  natsConnection_Destroy(bus);
  return 0;
}

double rate_of_echoes(const std::string& nats_url, int in_flight, const std::string& payload,
                      seconds time) {
  const echo_service echo(nats_url, echo_service::sending::buffered);
  echo_crowd all{.payload = payload};
  natsConnection* bus = nullptr;
  natsSubscription* answers = nullptr;
  if (connect(&bus, nats_url, echo_service::sending::buffered) != NATS_OK ||
      natsConnection_Subscribe(&answers, bus, crowd_inbox, &ask_again, &all) != NATS_OK) {
    throw std::runtime_error("NATS does not take the crowd that asks for echoes");
  }
  all.under_way = in_flight;
  for (int i = 0; i < in_flight; ++i) all.ask(bus);
  wait(time / 4);  // until caches are warm
  const std::int64_t before = all.answered;
  const auto began = steady::now();
  wait(time);
  const auto answered = static_cast<double>(all.answered - before);
  const seconds took = steady::now() - began;
  all.stopping = true;
  for (int tries = 0; all.under_way > 0 && tries < 1000; ++tries) wait(seconds(0.01));
  const int silent = all.under_way;
  natsSubscription_Destroy(answers);
  natsConnection_Destroy(bus);
  if (silent > 0) throw std::runtime_error(fmt::format("{} echoes did not come", silent));
  return answered / took.count();
}

}  // namespace rosey::bench
