// The plugins of this host: load, unload, and the swap that replaces one by a newer build.
#pragma once

#include <condition_variable>
#include <filesystem>
#include <functional>
#include <list>
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
#include "host_stub/plugins/status.hpp"
#include "host_stub/plugins/verb_table.hpp"
#include "rosey/wire/result.hpp"

namespace rosey::host {

// What became of the plugins on the way down.
enum class stop_outcome {
  all_gone,
  unfinished,  // one waits for what does not come, such as an answer of the storage
  stuck,       // one is in a call that does not return, or cannot be unloaded
};

struct refused_plugin {
  std::string name;  // its id, or that of its file without "lib" and ".so"
  std::string why;
};

struct load_report {
  std::size_t found = 0;  // without the libraries that only a plugin needs
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
    // What of a plugin's own lines is logged; asked anew at each load. None: as of the host's.
    std::function<std::optional<spdlog::level::level_enum>(const std::string& id)> log_level = {};
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

  // `name` is a plugin's id, or its file's name, with or without "lib" and ".so": "playlist",
  // "libplaylist.so". On success a sentence for the admin.
  result<std::string> load(std::string_view name);
  result<std::string> unload(std::string_view name);
  // The new build is started beside the running one, which is stopped only when that has worked.
  result<std::string> reload(std::string_view name);
  // The id of the plugin that a name means; the name itself if it means none that there is.
  std::string id_of(std::string_view name) const;

  // Does what a change of a file in the directory asks for: a new one is loaded, one with other
  // content than the running plugin is swapped in, and that of a deleted one is unloaded, unless
  // another file holds the same plugin. Then tries again what was refused for a reason that may be
  // gone with the change. Logs what came of it. Nothing happens if nothing has changed, or while
  // the file is being written. The folder itself stands for its permissions.
  void follow(const std::filesystem::path& file);

  // By id: what answers before what does not.
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
    std::string refused;         // why the newest build in the file was not taken; "" if it was
    bool may_try_again = false;  // that is not due to the build itself
  };
  struct quarantined_plugin {
    std::shared_ptr<instance> stuck;
    error why;
  };
  // A file that is not loaded, and why.
  struct refused_file {
    std::string id;       // that of its name, if it was refused before its own was known
    std::string version;  // "": unknown
    std::string why;
    enum { in_itself, in_its_surroundings, by_a_twin } obstacle;
  };
  // An instance that is on its way up or down.
  struct moving_plugin {
    std::string id;
    std::string version;
    std::filesystem::path file;
    plugin_phase phase;
    std::shared_ptr<instance> which;  // null: it is not made yet
  };
  // The right to change one plugin; waits for who has it.
  class turn;
  // As long as it lives, the list shows what is on its way.
  class way;

  result<std::shared_ptr<instance>> start_new(library code, const std::filesystem::path& file,
                                              bool hold);
  result<std::shared_ptr<instance>> start_on(way& up, library code, bool hold);
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
  result<std::string> follow_deleted(const running_plugin& old);
  bool was_renamed(const running_plugin& old);
  void try_again_after(const std::filesystem::path& change);
  void try_again(const std::filesystem::path& file, const std::string& known);
  std::map<std::filesystem::path, std::string> builds_to_try_again() const;
  bool is_helper(const std::filesystem::path& file) const;
  result<std::filesystem::path> find_file(std::string_view name);
  std::optional<std::filesystem::path> find_file_by_id(std::string_view id);
  std::optional<std::string> running_as(std::string_view name) const;
  error not_loaded(std::string_view name) const;
  std::optional<running_plugin> find(std::string_view id) const;
  std::optional<std::string> loaded_from(const std::filesystem::path& file) const;
  void note_refusal(const std::string& id, const std::string& why, bool may_try_again = false);
  void note_refused(const std::filesystem::path& file, refused_file refusal);
  void forget_refused(const std::filesystem::path& file);
  std::map<std::filesystem::path, refused_file> refused_files() const;
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
  std::map<std::filesystem::path, refused_file> refused_;
  std::list<moving_plugin> moving_;
  std::vector<quarantined_plugin> quarantined_;
  std::shared_ptr<const verb_table> verbs_ = std::make_shared<verb_table>();
  std::set<std::string, std::less<>> changing_;
  std::set<std::filesystem::path> warned_of_;
  std::optional<instance::clock::time_point> closing_;  // all must be gone by then
  std::condition_variable changed_;
};

}  // namespace rosey::host
