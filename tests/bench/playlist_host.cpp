#include "bench/playlist_host.hpp"

#include <fmt/format.h>

#include <atomic>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <fstream>
#include <stdexcept>

namespace rosey::bench {
namespace {

std::atomic<std::int64_t> last_id = 0;

}  // namespace

playlist_host::playlist_host(std::string_view settings,
                             const std::function<void(const std::filesystem::path&)>& fill) {
  folder_.configure(settings, {.storage = R"({"enabled": true})"});
  start();
  if (!fill) return;
  stop();
  fill(database());
  start();
}

void playlist_host::start() {
  bot_.emplace(folder_, std::vector<std::string>{"--nats-url", nats_.url()});
  log_reader_ = std::jthread([this](const std::stop_token& ended) {
    while (!ended.stop_requested()) bot_->child().drain(std::chrono::milliseconds(20));
  });
}

void playlist_host::stop() {
  log_reader_ = {};
  if (const int status = bot_->finish(); status != 0) {
    throw std::runtime_error(fmt::format("the bot ended with {}: {}", status, bot_->child().log()));
  }
  bot_.reset();
}

double playlist_host::resident() {
  std::ifstream status(fmt::format("/proc/{}/status", bot_->child().id()));
  for (std::string key; status >> key;) {
    double kilobytes = 0;
    if (key == "VmRSS:" && status >> kilobytes) return kilobytes * 1024;
  }
  throw std::runtime_error("the bot is gone");
}

request command(std::string_view verb, std::string_view channel, std::string_view user,
                std::string_view arguments, std::string_view role) {
  const boost::json::object asked{{"channel", channel},
                                  {"user", user},
                                  {"args", arguments},
                                  {"role", role},
                                  {"id", fmt::format("bench-{}", ++last_id)}};
  return {fmt::format("rosey.command.playlist.{}", verb), boost::json::serialize(asked)};
}

request new_add(std::string_view channel, std::string_view user) {
  return command("add", channel, user, fmt::format("yt:b{:010}", ++last_id));
}

double timed(tests::soak_client& client, const request& asked, std::string_view refusal) {
  const auto began = steady::now();
  const auto answer = client.request(asked.subject, asked.payload, std::chrono::seconds(30));
  const std::chrono::duration<double, std::micro> took = steady::now() - began;
  const std::string wanted =
      refusal.empty() ? std::string(R"("success":true)") : fmt::format(R"("code":"{}")", refusal);
  if (!answer || answer->find(wanted) == std::string::npos) {
    throw std::runtime_error(fmt::format("{} {} was answered {}", asked.subject, asked.payload,
                                         answer.value_or("by nobody")));
  }
  return took.count();
}

}  // namespace rosey::bench
