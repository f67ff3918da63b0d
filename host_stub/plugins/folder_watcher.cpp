#include "host_stub/plugins/folder_watcher.hpp"

#include <poll.h>
#include <spdlog/spdlog.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "host_stub/plugins/library.hpp"

namespace rosey::host {
namespace {

// A file that is written is complete when it is closed; one that is moved, linked or deleted, or
// whose permissions change, at once. Writing on postpones what was complete.
constexpr std::uint32_t completes =
    IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ATTRIB;
constexpr std::uint32_t postpones = IN_MODIFY;
constexpr std::uint32_t creates = IN_CREATE;

// Such a thing appears complete: nobody is going to close a link, a folder or a FIFO.
bool appears_complete(const std::filesystem::path& file) {
  std::error_code ignored;
  return std::filesystem::is_symlink(file, ignored) ||
         !std::filesystem::is_regular_file(file, ignored) ||
         std::filesystem::hard_link_count(file, ignored) > 1;
}

}  // namespace

folder_watcher::folder_watcher(std::filesystem::path folder, std::chrono::milliseconds quiet)
    : folder_(std::move(folder)),
      quiet_(quiet),
      notify_(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)),
      stop_event_(::eventfd(0, EFD_CLOEXEC)) {
  if (notify_ >= 0 && stop_event_ >= 0 &&
      ::inotify_add_watch(notify_, folder_.c_str(),
                          completes | postpones | creates | IN_DELETE_SELF | IN_MOVE_SELF) >= 0) {
    for (const auto& file : libraries_in(folder_)) seen_.insert(file);
    return;
  }
  const int reason = errno;
  if (notify_ >= 0) ::close(notify_);
  if (stop_event_ >= 0) ::close(stop_event_);
  throw std::system_error(reason, std::system_category(),
                          "cannot watch the plugins folder '" + folder_.string() + "'");
}

folder_watcher::~folder_watcher() {
  const std::uint64_t one = 1;
  static_cast<void>(!::write(stop_event_, &one, sizeof one));
  if (thread_.joinable()) thread_.join();
  ::close(notify_);
  ::close(stop_event_);
}

void folder_watcher::start(change_handler on_change) {
  on_change_ = std::move(on_change);
  thread_ = std::thread([this] { run(); });
}

void folder_watcher::run() {
  for (;;) {
    pollfd sources[] = {{notify_, POLLIN, 0}, {stop_event_, POLLIN, 0}};
    if (::poll(sources, 2, milliseconds_to_next()) < 0 && errno != EINTR) return;
    if (sources[1].revents) return;
    if (sources[0].revents) read_events();
    tell_what_is_due();
  }
}

void folder_watcher::read_events() {
  alignas(inotify_event) char buffer[16384];
  const ssize_t size = ::read(notify_, buffer, sizeof buffer);
  for (ssize_t at = 0; at < size;) {
    const auto* event = reinterpret_cast<const inotify_event*>(buffer + at);
    note(event->mask, event->len > 0 ? event->name : "");
    at += static_cast<ssize_t>(sizeof(inotify_event) + event->len);
  }
}

void folder_watcher::note(std::uint32_t what, const std::string& name) {
  if (what & IN_Q_OVERFLOW) return note_all();
  if (what & (IN_DELETE_SELF | IN_MOVE_SELF)) {
    spdlog::warn("the plugins folder '{}' is gone; changes are no longer seen", folder_.string());
    return;
  }
  if (name.empty()) {
    if (what & IN_ATTRIB) due_[folder_] = clock::now() + quiet_;
    return;
  }
  const std::filesystem::path file = folder_ / name;
  if (!may_be_library(file)) return;
  seen_.insert(file);
  const bool complete = (what & completes) || ((what & creates) && appears_complete(file));
  if (complete || due_.contains(file)) due_[file] = clock::now() + quiet_;
}

// Events were lost: any file may have changed, and any may be gone.
void folder_watcher::note_all() {
  spdlog::warn("too many changes in '{}' at once; looking at every plugin", folder_.string());
  for (const auto& file : libraries_in(folder_)) seen_.insert(file);
  for (const auto& file : seen_) due_[file] = clock::now() + quiet_;
}

int folder_watcher::milliseconds_to_next() const {
  if (due_.empty()) return -1;
  auto next = due_.begin()->second;
  for (const auto& [file, when] : due_) next = std::min(next, when);
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(next - clock::now());
  return std::max(0, static_cast<int>(left.count()));
}

void folder_watcher::tell_what_is_due() {
  std::vector<std::filesystem::path> ready;
  const auto now = clock::now();
  std::erase_if(due_, [&](const auto& entry) {
    if (entry.second > now) return false;
    ready.push_back(entry.first);
    return true;
  });
  for (const auto& file : ready) on_change_(file);
}

}  // namespace rosey::host
