#include "host_stub/cli/waiting.hpp"

#include <spdlog/spdlog.h>

#include <stdexcept>

#include "host_stub/bus/configured.hpp"
#include "host_stub/bus/login.hpp"

namespace rosey::host {

bool wait_for_nats(const config& settings, std::chrono::seconds patience, termination& end) {
  const nats_target target = configured(settings, settings.nats_url, "rosey").target();
  const auto reached = wait_for_login(
      target, "rosey", patience, [](const std::string& what) { spdlog::warn("{}", what); },
      [&end](std::chrono::milliseconds pause) { return end.wait_for(pause); });
  if (reached) return true;
  if (reached.error().code == "interrupted") return false;
  throw std::runtime_error(reached.error().message);
}

}  // namespace rosey::host
