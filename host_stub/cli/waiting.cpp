#include "host_stub/cli/waiting.hpp"

#include <signal.h>
#include <spdlog/spdlog.h>

#include <stdexcept>

#include "host_stub/bus/configured.hpp"
#include "host_stub/bus/login.hpp"

namespace rosey::host {

bool termination_requested_within(std::chrono::milliseconds time) {
  sigset_t ends;
  ::sigemptyset(&ends);
  ::sigaddset(&ends, SIGINT);
  ::sigaddset(&ends, SIGTERM);
  const timespec most{time.count() / 1000, time.count() % 1000 * 1'000'000};
  return ::sigtimedwait(&ends, nullptr, &most) > 0;
}

bool wait_for_nats(const config& settings, std::chrono::seconds patience) {
  const nats_target target = configured(settings, settings.nats_url, "rosey").target();
  const auto reached = wait_for_login(
      target, "rosey", patience, [](const std::string& what) { spdlog::warn("{}", what); },
      &termination_requested_within);
  if (reached) return true;
  if (reached.error().code == "interrupted") return false;
  throw std::runtime_error(reached.error().message);
}

}  // namespace rosey::host
