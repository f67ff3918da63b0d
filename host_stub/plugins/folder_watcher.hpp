// Reports which libraries of a folder have changed: once for each change, when it is complete. Also
// the folder itself, when its permissions change.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <set>
#include <thread>

namespace rosey::host {

class folder_watcher {
 public:
  using change_handler = std::function<void(const std::filesystem::path& file)>;

  // Changes count from here on, and are told after start(). A change is told when the file has been
  // left alone for `quiet`, so that a copy, a linker or `mv` makes one change and not many.
  // Throws std::system_error if the folder cannot be watched.
  explicit folder_watcher(std::filesystem::path folder,
                          std::chrono::milliseconds quiet = std::chrono::milliseconds(250));
  ~folder_watcher();
  folder_watcher(const folder_watcher&) = delete;
  folder_watcher& operator=(const folder_watcher&) = delete;

  // Calls `on_change` on a thread of its own, from now on. Called once.
  void start(change_handler on_change);

 private:
  using clock = std::chrono::steady_clock;

  void run();
  void read_events();
  void note(std::uint32_t what, const std::string& name);
  void note_all();
  int milliseconds_to_next() const;
  void tell_what_is_due();

  const std::filesystem::path folder_;
  const std::chrono::milliseconds quiet_;
  int notify_ = -1;
  int stop_event_ = -1;
  change_handler on_change_;
  std::map<std::filesystem::path, clock::time_point> due_;
  std::set<std::filesystem::path> seen_;  // every library there was since we began
  std::thread thread_;
};

}  // namespace rosey::host
