#include "host_stub/bus/nats_server.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <spdlog/spdlog.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <exception>
#include <random>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "host_stub/bus/nats_process.hpp"

namespace rosey::host {
namespace {

// So often within that time, and it is not started again.
constexpr std::size_t most_deaths = 5;
constexpr std::chrono::minutes deaths_are_counted_for{1};
// After the first death none, then one more after each.
constexpr std::chrono::milliseconds pause_step{250};

std::string random_token() {
  std::random_device random;
  std::string token;
  for (int word = 0; word < 4; ++word) token += fmt::format("{:08x}", random());
  return token;
}

}  // namespace

// Every process is forked by the supervisor: the kernel ends a child with the *thread* that has
// forked it, and this one lives as long as the object.
nats_server::nats_server(give_up_handler on_given_up)
    : token_(random_token()),
      on_given_up_(std::move(on_given_up)),
      stop_event_(::eventfd(0, EFD_CLOEXEC)) {
  if (stop_event_ < 0) throw std::system_error(errno, std::system_category(), "eventfd");
  std::promise<int> promise;
  std::future<int> first_port = promise.get_future();
  try {
    supervisor_ =
        std::thread([this, made = std::move(promise)]() mutable { supervise(std::move(made)); });
    url_ = fmt::format("nats://{}@127.0.0.1:{}", token_, first_port.get());
  } catch (...) {
    if (supervisor_.joinable()) supervisor_.join();
    ::close(stop_event_);
    throw;
  }
}

nats_server::~nats_server() {
  const std::uint64_t one = 1;
  static_cast<void>(!::write(stop_event_, &one, sizeof one));
  supervisor_.join();
  ::close(stop_event_);
}

void nats_server::supervise(std::promise<int> first_port) {
  spdlog::debug("starting a private nats-server");
  try {
    process_ = std::make_unique<nats_process>(token_, 0, stop_event_);
  } catch (...) {
    first_port.set_exception(std::current_exception());
    return;
  }
  port_ = process_->port();
  id_ = process_->id();
  first_port.set_value(port_);
  while (serve()) {
  }
  id_ = -1;
  process_.reset();
}

// False when it is over: stopped, or given up.
bool nats_server::serve() {
  while (const auto line = process_->next_line()) relay(*line);
  if (stopped_within({})) return false;
  id_ = -1;
  const std::string how = process_->reap();
  process_.reset();
  try {
    return start_again(how);
  } catch (const std::exception& failure) {
    if (on_given_up_) on_given_up_(failure.what());
    return false;
  }
}

// Throws what ends the attempts.
bool nats_server::start_again(std::string how_it_ended) {
  for (;;) {
    const auto now = clock::now();
    deaths_.push_back(now);
    while (now - deaths_.front() > deaths_are_counted_for) deaths_.pop_front();
    if (deaths_.size() >= most_deaths) {
      throw std::runtime_error(
          fmt::format("the private nats-server ended {} times within a minute, last because it {}",
                      deaths_.size(), how_it_ended));
    }
    spdlog::warn("the private nats-server {}; it is started again", how_it_ended);
    if (stopped_within(pause_step * (deaths_.size() - 1))) return false;
    try {
      process_ = std::make_unique<nats_process>(token_, port_, stop_event_);
      id_ = process_->id();
      spdlog::info("the private nats-server is back");
      return true;
    } catch (const exposed_server&) {
      throw;
    } catch (const std::exception& failure) {
      if (stopped_within({})) return false;
      how_it_ended = fmt::format("could not be started ({})", failure.what());
    }
  }
}

void nats_server::relay(const std::string& line) const {
  const bool matters =
      line.find("[ERR] ") != std::string::npos || line.find("[FTL] ") != std::string::npos;
  if (matters && !process_->is_about_stranger(line)) {
    spdlog::warn("nats-server: {}", line);
  } else {
    spdlog::debug("nats-server: {}", line);
  }
}

bool nats_server::stopped_within(std::chrono::milliseconds pause) const {
  pollfd stop{stop_event_, POLLIN, 0};
  return ::poll(&stop, 1, static_cast<int>(pause.count())) > 0;
}

}  // namespace rosey::host
