#include "host_stub/bus/reconnecting.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <utility>

#include "host_stub/address.hpp"
#include "host_stub/bus/login.hpp"

namespace rosey::host {
namespace {

constexpr std::chrono::milliseconds first_pause{100};
constexpr std::chrono::milliseconds longest_pause{2000};            // a server that is away
constexpr std::chrono::milliseconds longest_after_refusal{30'000};  // it will not like us sooner

bool knows_other_servers(natsConnection* away, std::size_t configured) {
  char** servers = nullptr;
  int count = 0;
  if (natsConnection_GetServers(away, &servers, &count) != NATS_OK) return false;
  for (int i = 0; i < count; ++i) std::free(servers[i]);
  std::free(servers);
  return static_cast<std::size_t>(count) > configured;
}

}  // namespace

reconnecting::reconnecting(nats_target target, std::string name)
    : target_(std::move(target)), name_(std::move(name)) {}

std::chrono::milliseconds reconnecting::before_attempt(natsConnection* away) {
  constexpr std::chrono::milliseconds at_once{1};
  const std::size_t configured = split_addresses(target_.url).size();
  for (std::chrono::milliseconds next = first_pause;; next *= 2) {
    login_outcome tried;
    try {
      tried = try_login(target_, name_);
    } catch (const std::exception& failure) {
      tried.reason = failure.what();  // a certificate that was removed, say
    }
    if (tried.succeeded) return at_once;
    say(tried.reason);
    const bool refused = tried.kind == login_failure::refused;
    next = std::min(next, refused ? longest_after_refusal : longest_pause);
    if (!pause(jittered(next))) return at_once;
    if (!refused && knows_other_servers(away, configured)) return at_once;
  }
}

void reconnecting::succeeded() {
  const std::lock_guard lock(mutex_);
  said_.clear();
}

void reconnecting::end() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  ended_.notify_all();
}

bool reconnecting::pause(std::chrono::milliseconds time) {
  std::unique_lock lock(mutex_);
  return !ended_.wait_for(lock, time, [this] { return ending_; });
}

// Many hosts lose one server in the same moment, and should not come back in the same one.
std::chrono::milliseconds reconnecting::jittered(std::chrono::milliseconds time) {
  std::uniform_int_distribution<std::int64_t> part(0, time.count() / 2);
  return time / 2 + std::chrono::milliseconds(part(random_));
}

void reconnecting::say(const std::string& reason) {
  {
    const std::lock_guard lock(mutex_);
    if (ending_ || said_ == reason) return;
    said_ = reason;
  }
  spdlog::warn("{}; trying again", reason);
}

}  // namespace rosey::host
