#include "soak/disk.hpp"

#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>

namespace rosey::tests {
namespace {

void write_text(const char* file, const std::string& text) {
  std::ofstream(file) << text;
}

// A namespace of mounts; who is not root needs one of users around it.
bool leave_the_mounts_of_others() {
  if (::unshare(CLONE_NEWNS) == 0) return true;
  const uid_t user = ::getuid();
  const gid_t group = ::getgid();
  if (::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return false;
  write_text("/proc/self/setgroups", "deny");
  write_text("/proc/self/uid_map", "0 " + std::to_string(user) + " 1");
  write_text("/proc/self/gid_map", "0 " + std::to_string(group) + " 1");
  return true;
}

void set_file_limit(pid_t process, rlim_t bytes) {
  const rlimit limit{bytes, RLIM_INFINITY};
  if (::prlimit(process, RLIMIT_FSIZE, &limit, nullptr) != 0) {
    throw std::system_error(errno, std::system_category(), "prlimit");
  }
}

}  // namespace

small_disk::small_disk() {
  if (!leave_the_mounts_of_others() ||
      ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
      ::mount("small", path().c_str(), "tmpfs", 0, "size=8m") != 0) {
    problem_ = std::strerror(errno);
  }
}

// Its folder can be removed when nothing is mounted there.
small_disk::~small_disk() {
  if (problem_.empty()) ::umount2(path().c_str(), MNT_DETACH);
}

void small_disk::fill() const {
  std::ofstream ballast(path() / "ballast", std::ios::binary | std::ios::app);
  const std::string kilobyte(1024, 'x');
  while (ballast.write(kilobyte.data(), static_cast<std::streamsize>(kilobyte.size())).flush()) {
  }
}

void small_disk::free() const {
  std::filesystem::remove(path() / "ballast");
}

void limit_files_of(pid_t process, std::size_t bytes) {
  set_file_limit(process, bytes);
}

void limit_files_no_more(pid_t process) {
  set_file_limit(process, RLIM_INFINITY);
}

}  // namespace rosey::tests
