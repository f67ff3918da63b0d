// The plugins of this host: load, unload, and the swap that replaces one by a newer build.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "host_stub/bus/connection.hpp"
#include "host_stub/plugins/instance.hpp"
#include "host_stub/plugins/verb_table.hpp"
#include "rosey/wire/result.hpp"

namespace rosey::host {

struct plugin_status {
  std::string id;
  std::string version;
  std::string build;
  std::string state;  // "running", or a sentence about what is wrong
  std::filesystem::path file;
  std::vector<std::string> verbs;
};

// load, unload and reload block until the work is done, one at a time; the rest never blocks.
// All are safe to call on any thread but a plugin's own.
class plugin_manager {
 public:
  struct settings {
    std::filesystem::path directory;
    // The JSON text of a plugin's configuration section; asked anew at each load.
    std::function<result<std::string>(const std::string& id)> configuration;
    plugin_deadlines deadlines = {};
  };

  // Throws std::runtime_error if the directory does not exist.
  plugin_manager(connection& bus, settings options);
  // Stops all plugins.
  ~plugin_manager();

  // Loads every library of the directory; what is refused is logged, and does not stop the others.
  void load_all();

  // `name` is a plugin's id, or its file's name: "playlist", "libplaylist.so". On success a
  // sentence for the admin.
  result<std::string> load(std::string_view name);
  result<std::string> unload(std::string_view id);
  // The new build is started beside the running one, which is stopped only when that has worked.
  result<std::string> reload(std::string_view id);

  std::vector<plugin_status> list() const;
  std::shared_ptr<const verb_table> verbs() const;

  // Stops all plugins. False if one of them is stuck: the process must then end without running
  // destructors, since plugin code may still use what they would destroy.
  bool stop_all();

 private:
  struct running_plugin {
    std::shared_ptr<instance> current;
    std::filesystem::path file;
  };

  result<library> open(const std::filesystem::path& file);
  result<std::shared_ptr<instance>> start_new(library code);
  result<std::string> load_file(const std::filesystem::path& file);
  result<std::filesystem::path> find_file(std::string_view name) const;
  std::shared_ptr<instance> find(std::string_view id, std::filesystem::path* file) const;
  void publish_verbs(const rosey_plugin& plugin);
  result<void> retire(std::shared_ptr<instance> old);
  void quarantine(std::shared_ptr<instance> stuck);

  connection& bus_;
  const settings settings_;
  const std::filesystem::path shadow_folder_;

  std::mutex operation_;  // one load, unload or reload at a time; taken before state_

  mutable std::mutex state_;  // guards the next three; never held while plugin code may run
  std::map<std::string, running_plugin, std::less<>> plugins_;
  std::vector<std::shared_ptr<instance>> quarantined_;
  std::shared_ptr<const verb_table> verbs_ = std::make_shared<verb_table>();
};

}  // namespace rosey::host
