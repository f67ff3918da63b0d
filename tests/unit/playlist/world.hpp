// A small world for the playlist: a server, storage on a real database file, a clock that stands
// still, and as many instances of the plugin as a test likes.
#pragma once

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/json/object.hpp>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "fakes/fake_message_bus.hpp"
#include "host_stub/storage/service.hpp"
#include "playlist_plugin/clock.hpp"
#include "playlist_plugin/plugin.hpp"
#include "rosey/sdk/context.hpp"
#include "rosey/sdk/task_scope.hpp"
#include "rosey/wire/command.hpp"
#include "temporary_directory.hpp"

namespace rosey::playlist::testing {

// Stands still until it is advanced, but lets moments of less than a second pass by themselves. The
// wall's clock may be set besides.
class manual_clock final : public clock {
 public:
  std::int64_t now() const override { return now_; }
  std::int64_t steady() const override { return steady_; }
  void arm(const std::shared_ptr<boost::asio::steady_timer>& timer, std::int64_t at) override;
  void advance(std::int64_t milliseconds);
  void set_wall(std::int64_t milliseconds_from_now) { now_ += milliseconds_from_now; }

 private:
  std::int64_t now_ = 1'700'000'000'000;
  std::int64_t steady_ = 5'000'000;
  std::vector<std::weak_ptr<boost::asio::steady_timer>> armed_;
};

// One loaded plugin.
struct instance {
  instance(fakes::fake_server& server, std::shared_ptr<clock> time,
           std::vector<std::string>& log_lines);

  fakes::fake_message_bus bus;
  sdk::logger log;
  sdk::task_scope tasks;
  playlist::plugin plugin;
};

// Quotas that no test reaches by chance.
inline const boost::json::object generous{{"max_items_per_user", 100}, {"rate_limit_count", 100}};

struct said {  // a command on its way
  bool answered = false;
  std::string payload;
};

class world {
 public:
  // `max_payload`: bytes of one message.
  explicit world(std::size_t max_payload = 1024 * 1024);
  ~world();

  // Loads one more plugin; the others stay. Sites are only asked where "metadata" says so.
  instance& start(const boost::json::object& config = {});
  // As the host unloads: what was begun ends, then the instance goes.
  void stop(instance& which);
  // Without a farewell.
  void kill_all();

  // Says "!verb args" in #lobby and waits for the answer.
  wire::command_reply say(const std::string& user, const std::string& verb,
                          const std::string& args = "", wire::role role = wire::role::user);
  wire::command_reply say(const std::string& verb, const wire::command_request& request);
  std::shared_ptr<said> begin(const std::string& subject, const std::string& payload);
  std::string finish(const std::shared_ptr<said>& command);

  // Any request, any payload.
  boost::json::object ask(const std::string& subject, const std::string& payload);

  // Runs until nothing is left to do but wait for time to pass.
  void settle();
  void pass(std::int64_t seconds);
  // Sets the wall clock of all instances; no time passes.
  void set_clock(std::int64_t seconds_from_now) { clock_->set_wall(seconds_from_now * 1000); }
  // Runs until something outside has made it true.
  void until(const std::function<bool()>& reached);

  // Tables, read and written from outside.
  boost::json::object storage(const std::string& operation, boost::json::object request);
  boost::json::array rows(const std::string& table, boost::json::object order = {});
  std::int64_t stored_version(const std::string& channel = "#lobby");

  fakes::fake_server& server() { return *server_; }
  std::vector<std::string>& log() { return log_; }
  std::vector<boost::json::object>& events() { return events_; }
  std::vector<std::string> event_names() const;
  std::vector<std::string>& announced() { return announced_; }  // "#lobby: text"

 private:
  rosey::tests::temporary_directory folder_;
  std::unique_ptr<storage::service> storage_;
  boost::asio::io_context io_;
  std::unique_ptr<fakes::fake_server> server_;
  std::shared_ptr<manual_clock> clock_ = std::make_shared<manual_clock>();
  std::unique_ptr<fakes::fake_message_bus> people_;
  std::vector<std::string> log_;
  std::vector<boost::json::object> events_;
  std::vector<std::string> announced_;
  std::list<instance> instances_;
};

// Ids of youtube videos that parse: "video000001".
std::string video(int number);

}  // namespace rosey::playlist::testing
