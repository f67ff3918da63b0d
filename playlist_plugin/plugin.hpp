// The playlist as the host sees it: its id, version and verbs, and the parts it is made of.
#pragma once

#include <boost/json/object.hpp>
#include <chrono>
#include <cstdint>
#include <memory>

#include "playlist_plugin/clock.hpp"
#include "playlist_plugin/handlers/commands.hpp"
#include "playlist_plugin/version.hpp"
#include "rosey/sdk/context.hpp"

namespace rosey::playlist {

// What only tests set.
struct plugin_options {
  std::shared_ptr<clock> time = std::make_shared<machine_clock>();
  std::chrono::milliseconds storage_timeout = std::chrono::seconds(2);
  std::chrono::milliseconds retry_interval = std::chrono::seconds(2);  // while storage is away
};

class plugin {
 public:
  static constexpr const auto& id = plugin_id;
  static constexpr const char* version = plugin_version;
  static constexpr const auto& verbs = commands::verbs;
  static constexpr std::uint32_t schema = 8;  // the newest of migrations/playlist

  explicit plugin(sdk::context context, plugin_options options = {});
  ~plugin();

  // Subscribes, and takes up the stored queues in the background. Throws std::runtime_error naming
  // the setting that is unknown or not right.
  void start(const boost::json::object& config);

  // Begins what has to be done before the plugin goes; its tasks are waited for after that.
  void stop();

 private:
  struct parts;

  sdk::context context_;
  plugin_options options_;
  std::unique_ptr<parts> parts_;  // none before start()
};

}  // namespace rosey::playlist
