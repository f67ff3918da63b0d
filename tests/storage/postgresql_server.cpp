#include "storage/postgresql_server.hpp"

#include <fcntl.h>
#include <grp.h>
#include <libpq-fe.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <thread>
#include <vector>

namespace rosey::tests {
namespace {

namespace fs = std::filesystem;

const passwd* unprivileged_user() {
  if (::geteuid() != 0) return nullptr;
  const passwd* user = ::getpwnam("postgres");
  return user ? user : ::getpwnam("nobody");
}

// In a child: becomes `user`, if there is one, and the program. Never returns.
[[noreturn]] void become(const passwd* user, const fs::path& program,
                         const std::vector<std::string>& arguments, const fs::path& folder,
                         std::uintmax_t largest_file) {
  if (largest_file != 0) {
    const rlimit limit{largest_file, largest_file};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  if (user && (::setgroups(0, nullptr) != 0 || ::setgid(user->pw_gid) != 0 ||
               ::setuid(user->pw_uid) != 0)) {
    ::_exit(125);
  }
  ::prctl(PR_SET_PDEATHSIG, SIGQUIT);
  const int log = ::open((folder / "log").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  const int nothing = ::open("/dev/null", O_RDWR);
  ::dup2(nothing, STDIN_FILENO);
  ::dup2(log, STDOUT_FILENO);
  ::dup2(log, STDERR_FILENO);
  ::close_range(3, ~0U, 0);
  std::vector<char*> list{const_cast<char*>(program.c_str())};
  for (const std::string& each : arguments) list.push_back(const_cast<char*>(each.c_str()));
  list.push_back(nullptr);
  ::execv(list[0], list.data());
  ::_exit(127);
}

pid_t spawn(const fs::path& program, const std::vector<std::string>& arguments,
            const fs::path& folder, std::uintmax_t largest_file = 0) {
  const passwd* user = unprivileged_user();
  const pid_t child = ::fork();
  if (child == 0) become(user, program, arguments, folder, largest_file);
  if (child < 0) throw std::runtime_error("fork failed");
  return child;
}

std::string log_of(const fs::path& folder) {
  std::ifstream in(folder / "log");
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

}  // namespace

// Debian keeps the programs of each version apart.
fs::path postgresql_program(const std::string& name) {
  std::vector<fs::path> found;
  const fs::path versions = "/usr/lib/postgresql";
  if (fs::is_directory(versions)) {
    for (const auto& version : fs::directory_iterator(versions)) {
      if (fs::exists(version.path() / "bin" / name)) found.push_back(version.path() / "bin" / name);
    }
  }
  if (found.empty()) {
    throw std::runtime_error("PostgreSQL's " + name +
                             " is not installed; scripts/install-packages test does that");
  }
  return *std::max_element(found.begin(), found.end());
}

postgresql_server::postgresql_server(const options& chosen) : options_(chosen) {
  if (const passwd* user = unprivileged_user()) {
    if (::chown(folder_.path().c_str(), user->pw_uid, user->pw_gid) != 0) {
      throw std::runtime_error("cannot give the server's folder to " + std::string(user->pw_name));
    }
  }
  const pid_t child = spawn(
      postgresql_program("initdb"),
      {"--pgdata=" + (folder_.path() / "data").string(), "--username=rosey", "--auth=trust",
       "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync", "--wal-segsize=4", "--no-instructions"},
      folder_.path());
  int status = 0;
  ::waitpid(child, &status, 0);
  if (status != 0) throw std::runtime_error("initdb failed:\n" + log_of(folder_.path()));
  start();
}

postgresql_server::~postgresql_server() {
  kill();
}

std::string postgresql_server::url() const {
  return "postgresql://rosey@/postgres?host=" + folder_.path().string();
}

// The server is a process for each connection.
void postgresql_server::signal_all(int number) const {
  if (child_ < 0) return;
  ::kill(child_, number);  // first: a stopped one starts no more of them
  const fs::path tasks = fs::path("/proc") / std::to_string(child_) / "task";
  std::ifstream children(tasks / std::to_string(child_) / "children");
  for (pid_t each; children >> each;) ::kill(each, number);
}

void postgresql_server::suspend() {
  signal_all(SIGSTOP);
}

void postgresql_server::resume() {
  signal_all(SIGCONT);
}

void postgresql_server::kill() {
  if (child_ < 0) return;
  resume();
  ::kill(child_, SIGQUIT);
  ::waitpid(child_, nullptr, 0);
  child_ = -1;
}

void postgresql_server::start() {
  std::vector<std::string> arguments{"-D", (folder_.path() / "data").string(),
                                     "-k", folder_.path().string(),
                                     "-c", "listen_addresses=",
                                     "-c", "shared_buffers=32MB",
                                     "-c", "max_connections=400",
                                     "-c", "autovacuum=off"};
  if (!options_.durable) {  // a test's data need not survive the machine
    arguments.insert(arguments.end(), {"-c", "fsync=off", "-c", "full_page_writes=off"});
  }
  child_ = spawn(postgresql_program("postgres"), arguments, folder_.path(), options_.largest_file);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (PQping(url().c_str()) != PQPING_OK) {
    const bool ended = ::waitpid(child_, nullptr, WNOHANG) == child_;
    if (ended) child_ = -1;
    if (ended || std::chrono::steady_clock::now() > deadline) {
      throw std::runtime_error("PostgreSQL does not start:\n" + log_of(folder_.path()));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

std::filesystem::path fixture_file(pid_t ctest) {
  return fs::path(POSTGRESQL_FIXTURE) / std::to_string(ctest);
}

std::string shared_postgresql_url() {
  static const std::string url = [] {
    std::string found;
    std::getline(std::ifstream(fixture_file(::getppid())), found);
    if (!found.empty()) return found;
    static const postgresql_server own;
    return own.url();
  }();
  return url;
}

}  // namespace rosey::tests
