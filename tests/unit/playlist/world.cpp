// The world's clockwork.
#include "unit/playlist/world.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <chrono>
#include <stdexcept>

namespace rosey::playlist::testing {

namespace json = boost::json;

void manual_clock::arm(const std::shared_ptr<boost::asio::steady_timer>& timer, std::int64_t at) {
  timer->expires_at(at < steady_ + 1000 ? boost::asio::steady_timer::clock_type::now()
                                        : boost::asio::steady_timer::time_point::max());
  armed_.push_back(timer);
}

void manual_clock::advance(std::int64_t milliseconds) {
  now_ += milliseconds;
  steady_ += milliseconds;
  const auto armed = std::exchange(armed_, {});
  for (const auto& weak : armed) {
    if (const auto timer = weak.lock()) timer->cancel();
  }
}

instance::instance(fakes::fake_server& server, std::shared_ptr<clock> time,
                   std::vector<std::string>& log_lines)
    : bus(server),
      log([&log_lines](sdk::log_level level, std::string_view text) {
        if (level != sdk::log_level::debug) log_lines.emplace_back(text);
      }),
      tasks(server.io().get_executor(), log),
      plugin(sdk::context{server.io().get_executor(), bus, tasks, log},
             plugin_options{std::move(time), std::chrono::seconds(2), std::chrono::seconds(2)}) {}

world::world(std::size_t max_payload) {
  storage::options chosen;
  chosen.reply_limit = std::min(chosen.reply_limit, max_payload / 2);
  chosen.database = "sqlite:" + (folder_.path() / "test.db").string();
  chosen.migrations = ROSEY_MIGRATIONS;
  chosen.synchronous = false;
  storage_ = storage::open_service(chosen);
  server_ = std::make_unique<fakes::fake_server>(io_, *storage_);
  server_->max_payload = max_payload;
  people_ = std::make_unique<fakes::fake_message_bus>(*server_);
  people_->subscribe("playlist.>", "", [this](const sdk::message& event) {
    boost::system::error_code failure;
    json::value parsed = json::parse(event.payload, failure);
    const bool real = !failure && parsed.is_object() && parsed.get_object().contains("event");
    if (real) events_.push_back(std::move(parsed.get_object()));
  });
  people_->subscribe("rosey.chat.send", "", [this](const sdk::message& line) {
    const json::value parsed = json::parse(line.payload);
    announced_.push_back(std::string(parsed.at("channel").as_string()) + ": " +
                         std::string(parsed.at("message").as_string()));
  });
  const std::string migrated = server_->ask_storage("db.migrate.playlist.apply", "{}");
  EXPECT_NE(migrated.find("\"success\":true"), std::string::npos) << migrated;
}

world::~world() {
  kill_all();
  people_.reset();
  storage_.reset();
}

instance& world::start(const json::object& config) {
  instances_.emplace_back(*server_, clock_, log_);
  json::object chosen = config;
  if (!chosen.contains("metadata")) chosen["metadata"] = "none";
  instances_.back().plugin.start(chosen);
  settle();
  return instances_.back();
}

void world::stop(instance& which) {
  bool stopped = false;
  which.plugin.stop();
  which.tasks.stop([&stopped] { stopped = true; });
  settle();
  EXPECT_TRUE(stopped) << "the plugin does not end";
  instances_.remove_if([&which](const instance& each) { return &each == &which; });
}

void world::kill_all() {
  for (instance& each : instances_) each.tasks.stop([] {});
  settle();
  instances_.clear();
}

wire::command_reply world::say(const std::string& user, const std::string& verb,
                               const std::string& args, wire::role role) {
  wire::command_request request;
  request.channel = "#lobby";
  request.user = user;
  request.args = args;
  request.sender_role = role;
  return say(verb, request);
}

wire::command_reply world::say(const std::string& verb, const wire::command_request& request) {
  const auto command = begin("rosey.command.playlist." + verb, wire::encode(request));
  const auto reply = wire::decode_reply(std::string_view(finish(command)));
  EXPECT_TRUE(reply) << command->payload;
  return *reply;
}

std::shared_ptr<said> world::begin(const std::string& subject, const std::string& payload) {
  auto command = std::make_shared<said>();
  people_->async_request(subject, payload, std::chrono::seconds(5),
                         [command](boost::system::error_code failure, std::string answer) {
                           command->answered = true;
                           command->payload = failure ? failure.message() : std::move(answer);
                         });
  return command;
}

std::string world::finish(const std::shared_ptr<said>& command) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!command->answered && std::chrono::steady_clock::now() < deadline) {
    io_.restart();
    io_.run_one_for(std::chrono::milliseconds(100));
  }
  if (!command->answered) throw std::runtime_error("the plugin does not answer");
  return command->payload;
}

json::object world::ask(const std::string& subject, const std::string& payload) {
  const std::string answer = finish(begin(subject, payload));
  return json::parse(answer).as_object();
}

void world::settle() {
  for (;;) {
    io_.restart();
    if (io_.poll() > 0) continue;
    if (!server_->busy()) return;
    io_.run_one_for(std::chrono::milliseconds(100));
  }
}

void world::until(const std::function<bool()>& reached) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!reached()) {
    if (std::chrono::steady_clock::now() > deadline) throw std::runtime_error("it never happens");
    io_.restart();
    io_.run_one_for(std::chrono::milliseconds(5));
  }
}

void world::pass(std::int64_t seconds) {
  clock_->advance(seconds * 1000);
  settle();
}

json::object world::storage(const std::string& operation, json::object request) {
  const std::string answer = server_->ask_storage("db." + operation, json::serialize(request));
  json::object object = json::parse(answer).as_object();
  EXPECT_TRUE(object.at("success").as_bool()) << answer;
  return object;
}

json::array world::rows(const std::string& table, json::object order) {
  json::object request{{"table", table}};
  if (!order.empty()) request["order"] = std::move(order);
  return storage("row.playlist.select", std::move(request)).at("rows").as_array();
}

std::int64_t world::stored_version(const std::string& channel) {
  for (const json::value& row : rows("channel")) {
    if (row.at("channel").as_string() == channel) return row.at("version").as_int64();
  }
  return 0;
}

std::vector<std::string> world::event_names() const {
  std::vector<std::string> names;
  for (const json::object& event : events_) names.emplace_back(event.at("event").as_string());
  return names;
}

std::string video(int number) {
  return fmt::format("https://youtu.be/video{:06}", number);
}

}  // namespace rosey::playlist::testing
