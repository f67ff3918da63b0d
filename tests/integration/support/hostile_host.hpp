// A host with the hello plugin and one that breaks the contract in a given way.
#pragma once

#include <gtest/gtest.h>
#include <spdlog/sinks/ringbuffer_sink.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "host_stub/bus/connection.hpp"
#include "host_stub/bus/nats_server.hpp"
#include "host_stub/plugins/manager.hpp"
#include "integration/support/process.hpp"
#include "temporary_directory.hpp"

namespace rosey::tests {

// Short, since some plugins use them up; long enough for the others on a busy machine.
inline constexpr host::plugin_deadlines deadlines{.start = std::chrono::seconds(2),
                                                  .drain = std::chrono::seconds(2),
                                                  .stop = std::chrono::seconds(2),
                                                  .destroy = std::chrono::seconds(2),
                                                  .hold = std::chrono::milliseconds(500)};

// What is logged, from its making on. First of all: the logger cannot be exchanged when other
// threads use it already.
struct captured_log {
  captured_log() { spdlog::set_default_logger(std::make_shared<spdlog::logger>("test", lines)); }

  std::shared_ptr<spdlog::sinks::ringbuffer_sink_mt> lines =
      std::make_shared<spdlog::sinks::ringbuffer_sink_mt>(1000);
};

struct hostile_host {
  explicit hostile_host(const std::string& way) {
    install(way);
    std::filesystem::copy_file(HELLO_PLUGIN, folder.path() / "libhello.so");
    EXPECT_TRUE(plugins.load("hello"));
  }

  void install(const std::string& way) {
    std::filesystem::copy_file(std::string(HOSTILE_PLUGINS) + "/lib" + way + ".so",
                               folder.path() / "libhostile.so",
                               std::filesystem::copy_options::overwrite_existing);
  }

  std::string act() { return ask("rosey.command.hostile.act"); }

  std::string ask(const char* subject) {
    const auto reply = bus.request(subject, "{}", patience);
    return reply ? *reply : reply.error().code;
  }

  std::string log() {
    std::string text;
    for (const std::string& line : captured.lines->last_formatted()) text += line;
    return text;
  }

  // The proof that the host, and its other plugins, go on.
  bool others_are_served() {
    const auto reply =
        bus.request("rosey.command.hello.hello", R"({"channel":"#lobby","user":"ann"})", patience);
    return reply && reply->find("Hello, ann!") != std::string::npos;
  }

  captured_log captured;
  temporary_directory folder;
  host::nats_server server;
  host::connection bus{{.url = server.url(), .name = "host"}};
  host::plugin_manager plugins{
      bus,
      {folder.path(), [](const std::string&) { return result<std::string>("{}"); }, deadlines}};
};

struct refusal {
  const char* way;
  const char* sentence;
};

// Asks the hostile plugin without a pause, as several people do.
class crowd {
 public:
  explicit crowd(const std::string& url) {
    for (int person = 0; person < 3; ++person) people_.emplace_back([this, url] { ask(url); });
    while (answered_ == 0 && wrong_ == 0) std::this_thread::yield();
  }
  ~crowd() { finish(); }

  // How many answers were missing, or not those of a plugin that has started.
  int finish() {
    enough_ = true;
    for (std::thread& person : people_) person.join();
    people_.clear();
    return wrong_;
  }

 private:
  void ask(const std::string& url) {
    host::connection bus({.url = url, .name = "crowd"});
    while (!enough_) {
      const auto reply = bus.request("rosey.command.hostile.act", "{}", patience);
      ++(reply && reply->find("still here") != std::string::npos ? answered_ : wrong_);
    }
  }

  std::atomic<bool> enough_ = false;
  std::atomic<int> answered_ = 0;
  std::atomic<int> wrong_ = 0;
  std::vector<std::thread> people_;
};

}  // namespace rosey::tests
