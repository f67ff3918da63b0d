#include "soak/resources.hpp"

#include <malloc.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <ostream>
#include <thread>

#include "integration/support/process.hpp"

namespace rosey::tests {
namespace {

std::size_t entries_of(const char* folder) {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder), {}));
}

// "RssAnon:     1234 kB": files that are mapped do not count, they are not ours.
std::size_t anonymous_resident() {
  std::ifstream status("/proc/self/status");
  for (std::string key; status >> key;) {
    std::size_t kilobytes = 0;
    if (key == "RssAnon:" && status >> kilobytes) return kilobytes * 1024;
  }
  return 0;
}

std::set<std::string> thread_ids() {
  std::set<std::string> ids;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    ids.insert(task.path().filename().string());
  }
  return ids;
}

}  // namespace

std::ostream& operator<<(std::ostream& out, const resources& held) {
  return out << "heap " << held.heap / 1024 << " KiB, resident " << held.resident / 1024 << " KiB, "
             << held.descriptors << " descriptors, " << held.threads.size() << " threads";
}

bool wait_until_threads_are_among(const std::set<std::string>& known) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  for (auto ids = thread_ids(); !std::includes(known.begin(), known.end(), ids.begin(), ids.end());
       ids = thread_ids()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::yield();
  }
  return true;
}

resources measure_resources() {
  ::malloc_trim(0);
  const auto heap = ::mallinfo2();  // of all arenas
  return {heap.uordblks + heap.hblkhd, anonymous_resident(), entries_of("/proc/self/fd"),
          thread_ids()};
}

std::size_t lines_in_maps(const std::string& text) {
  std::ifstream maps("/proc/self/maps");
  std::size_t found = 0;
  for (std::string line; std::getline(maps, line);) found += line.find(text) != line.npos;
  return found;
}

}  // namespace rosey::tests
