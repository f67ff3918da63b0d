// A bot as operators run a large one: a NATS server, a storage service and hosts, each a process
// that may be killed at any moment.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "fakes/nats_proxy.hpp"
#include "integration/support/bot.hpp"
#include "integration/support/process.hpp"

namespace rosey::tests {

class cluster {
 public:
  struct layout {
    int hosts = 1;
    bool proxies = false;  // each process, and the clients, reach NATS through one of their own
    std::string_view playlist = "{}";                   // its section of the configuration
    std::vector<std::string> storage_environment = {};  // arguments of env: NAME=VALUE
    std::vector<std::string> host_environment = {};
    std::filesystem::path database = {};                  // empty: a file in folder()
    std::string database_url = {};                        // another one than that file
    std::function<void(const bot_folder&)> prepare = {};  // called before anything is started
  };
  enum part : std::size_t { nats, storage, first_host };

  // Returns when all of them are ready.
  explicit cluster(const layout& asked);

  std::size_t parts() const { return processes_.size(); }
  std::string name_of(std::size_t part) const;
  process& at(std::size_t part) { return *processes_[part]; }
  // kill -9, and gone.
  void kill(std::size_t part);
  // Returns when it is ready.
  void start(std::size_t part);

  // Takes what they log, for so long. To be called often, or they wait to get rid of it.
  void drain(std::chrono::milliseconds time);
  // The ends of what they have logged.
  std::string logs() const;
  // Those that have ended by themselves, and the ends of their logs; "" if none has.
  std::string ended_by_itself() const;

  // Where clients connect.
  const std::string& url() const;
  // Between that part and NATS; of the part `nats`, between the clients and NATS.
  nats_proxy& proxy_of(std::size_t part) { return *proxies_[part]; }
  std::filesystem::path database() const {
    return layout_.database.empty() ? folder_.path() / "cluster.db" : layout_.database;
  }
  const bot_folder& folder() const { return folder_; }

 private:
  std::string log_of(std::size_t part) const;
  std::vector<std::string> command_of(std::size_t part) const;
  const std::string& url_for(std::size_t part) const;

  const layout layout_;
  bot_folder folder_;
  std::uint16_t port_;
  std::string url_;
  std::vector<std::unique_ptr<process>> processes_;
  std::vector<std::unique_ptr<nats_proxy>> proxies_;  // by part; that of `nats` is the clients'
};

}  // namespace rosey::tests
