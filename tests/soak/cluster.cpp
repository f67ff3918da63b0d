#include "soak/cluster.hpp"

#include <signal.h>
#include <sys/wait.h>

#include <algorithm>
#include <fstream>

#include "fakes/loopback_socket.hpp"

namespace rosey::tests {

cluster::cluster(const layout& asked) : layout_(asked), port_(port_of(bind_to(0))) {
  folder_.configure(layout_.playlist, {.storage = R"({"enabled": false})"});
  if (layout_.prepare) layout_.prepare(folder_);
  url_ = "nats://127.0.0.1:" + std::to_string(port_);
  // As docs/reliability.md advises.
  std::ofstream(folder_.path() / "nats.conf") << "listen: \"127.0.0.1:" << port_ << "\"\n"
                                              << "ping_interval: \"2s\"\nping_max: 2\n";
  processes_.resize(first_host + static_cast<std::size_t>(layout_.hosts));
  start(nats);
  for (std::size_t part = 0; layout_.proxies && part < parts(); ++part) {
    proxies_.push_back(std::make_unique<nats_proxy>(url_));
  }
  for (std::size_t part = storage; part < parts(); ++part) start(part);
}

std::string cluster::name_of(std::size_t part) const {
  if (part == nats) return "nats-server";
  return part == storage ? "storage" : "host " + std::to_string(part - first_host);
}

void cluster::kill(std::size_t part) {
  processes_[part]->signal(SIGKILL);
  processes_[part]->wait();
  processes_[part].reset();
}

void cluster::start(std::size_t part) {
  processes_[part] = std::make_unique<process>(command_of(part), folder_.path());
  processes_[part]->wait_for_log(part == nats ? "Server is ready" : "rosey ready");
}

void cluster::drain(std::chrono::milliseconds time) {
  const auto until = std::chrono::steady_clock::now() + time;
  do {
    for (const auto& each : processes_) {
      if (each) each->drain(std::chrono::milliseconds(2));
    }
  } while (std::chrono::steady_clock::now() < until);
}

std::string cluster::ended_by_itself() const {
  std::string found;
  for (std::size_t part = 0; part < parts(); ++part) {
    siginfo_t ended{};
    if (!processes_[part]) continue;
    ::waitid(P_PID, static_cast<id_t>(processes_[part]->id()), &ended, WEXITED | WNOHANG | WNOWAIT);
    if (ended.si_pid == 0) continue;
    found += "ended by itself: " + log_of(part);
  }
  return found;
}

const std::string& cluster::url() const {
  return url_for(nats);
}

std::string cluster::logs() const {
  std::string all;
  for (std::size_t part = 0; part < parts(); ++part) all += log_of(part);
  return all;
}

std::string cluster::log_of(std::size_t part) const {
  constexpr std::size_t most = 3000;
  const std::string& log = processes_[part]->log();
  return name_of(part) + ":\n" + log.substr(log.size() - std::min(log.size(), most)) + "\n";
}

const std::string& cluster::url_for(std::size_t part) const {
  return layout_.proxies ? proxies_[part]->url() : url_;
}

std::vector<std::string> cluster::command_of(std::size_t part) const {
  std::vector<std::string> command{"/usr/bin/env"};
  if (part == nats) {
    command.insert(command.end(), {"nats-server", "-c", (folder_.path() / "nats.conf").string()});
    return command;
  }
  const auto& environment =
      part == storage ? layout_.storage_environment : layout_.host_environment;
  command.insert(command.end(), environment.begin(), environment.end());
  command.emplace_back(ROSEY_BINARY);
  if (part == storage) {
    const std::string& url = layout_.database_url;
    command.insert(command.end(),
                   {"storage", "--database", url.empty() ? "sqlite:" + database().string() : url,
                    "--migrations", (folder_.path() / "migrations").string()});
  } else {
    command.emplace_back("run");
  }
  command.insert(command.end(), {"--nats-url", url_for(part)});
  return command;
}

}  // namespace rosey::tests
