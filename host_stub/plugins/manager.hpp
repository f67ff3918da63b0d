// The plugins of this host: load, unload, and the swap that replaces one by a newer build.
#pragma once

#include <condition_variable>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
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
  bool stuck = false;  // in a call that does not return
};

// What became of the plugins on the way down.
enum class stop_outcome {
  all_gone,
  unfinished,  // one waits for what does not come, such as an answer of the storage
  stuck,       // one is in a call that does not return, or cannot be unloaded
};

struct refused_plugin {
  std::string name;  // of its file, without "lib" and ".so"
  std::string why;
};

struct load_report {
  std::size_t found = 0;
  std::vector<refused_plugin> refused;
};

// load, unload, reload and follow block until the work is done: for one plugin one after the other,
// for several side by side, so that one that hangs holds up no other. The rest never blocks.
// All are safe to call on any thread but a plugin's own.
class plugin_manager {
 public:
  struct settings {
    std::filesystem::path directory;
    // The JSON text of a plugin's configuration section; asked anew at each load.
    std::function<result<std::string>(const std::string& id)> configuration;
    plugin_deadlines deadlines = {};
    // What others may write is refused, not only warned of: the folder ends the start.
    bool refuse_writable = false;
  };

  // Throws std::runtime_error if the directory does not exist, or is refused.
  plugin_manager(connection& bus, settings options);
  // Stops all plugins.
  ~plugin_manager();

  // Loads every library of the directory; what is refused is logged, and does not stop the others.
  // Ends early when `enough` says so.
  load_report load_all(const std::function<bool()>& enough = [] { return false; });

  // `name` is a plugin's id, or its file's name: "playlist", "libplaylist.so". On success a
  // sentence for the admin.
  result<std::string> load(std::string_view name);
  result<std::string> unload(std::string_view id);
  // The new build is started beside the running one, which is stopped only when that has worked.
  result<std::string> reload(std::string_view id);

  // Does what a change of a file in the directory asks for: a new one is loaded, one with other
  // content than the running plugin is swapped in, and that of a deleted one is unloaded. Logs what
  // came of it. Nothing happens if nothing has changed, or while the file is being written.
  void follow(const std::filesystem::path& file);

  std::vector<plugin_status> list() const;
  std::shared_ptr<const verb_table> verbs() const;

  // Stops all plugins side by side, and lets nothing be loaded any more. If one of them is not gone
  // by `latest`, the process must end without running destructors, since plugin code may still use
  // what they would destroy.
  stop_outcome stop_all(instance::clock::time_point latest = instance::never);

 private:
  struct running_plugin {
    std::shared_ptr<instance> current;
    std::filesystem::path file;
    std::string refused;  // why the newest build in the file was not taken; "" if it was
  };
  struct quarantined_plugin {
    std::shared_ptr<instance> stuck;
    error why;
  };
  // The right to change one plugin; waits for who has it.
  class turn;

  result<std::shared_ptr<instance>> start_new(library code, bool hold);
  // The library, unless others may write it and that is refused.
  result<library> open(const std::filesystem::path& file);
  void warn_of_writers(const std::filesystem::path& file);
  result<std::string> load_file(const std::filesystem::path& file);
  result<std::string> load_new(library code, const std::filesystem::path& file);
  result<std::string> swap(const running_plugin& old, const std::filesystem::path& file);
  result<std::string> swap(const running_plugin& old, const std::filesystem::path& file,
                           result<library> code);
  result<std::string> remove(const running_plugin& old);
  result<std::string> take_change(const std::filesystem::path& file);
  result<std::string> follow_running(std::string_view id, const std::filesystem::path& file);
  bool was_renamed(const running_plugin& old);
  result<std::filesystem::path> find_file(std::string_view name) const;
  std::optional<running_plugin> find(std::string_view id) const;
  std::optional<std::string> loaded_from(const std::filesystem::path& file) const;
  void note_refusal(const std::string& id, const std::string& why);
  void publish_verbs(const rosey_plugin& plugin);
  result<void> retire(std::shared_ptr<instance> old);
  void quarantine(std::shared_ptr<instance> stuck, error why);
  std::optional<instance::clock::time_point> must_be_gone_by() const;
  void stop_one(const std::string& id);
  stop_outcome outcome() const;
  std::vector<std::string> verbs_of(const std::string& id) const;

  connection& bus_;
  const settings settings_;
  const std::filesystem::path shadow_folder_;
  std::string folder_problem_;  // who else may write the folder, at the start; "": nobody

  mutable std::mutex state_;  // guards what follows; never held while plugin code may run
  std::map<std::string, running_plugin, std::less<>> plugins_;
  std::vector<quarantined_plugin> quarantined_;
  std::shared_ptr<const verb_table> verbs_ = std::make_shared<verb_table>();
  std::set<std::string, std::less<>> changing_;
  std::set<std::filesystem::path> warned_of_;
  std::optional<instance::clock::time_point> closing_;  // all must be gone by then
  std::condition_variable changed_;
};

}  // namespace rosey::host
