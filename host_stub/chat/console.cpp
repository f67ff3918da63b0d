#include "host_stub/chat/console.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "host_stub/output.hpp"
#include "rosey/wire/decode.hpp"
#include "rosey/wire/subjects.hpp"

namespace rosey::host {
namespace {

// Bytes. More than any command may have; what is longer is read, thrown away and complained about.
constexpr std::size_t longest_line = 128 * 1024;

// How long a line waits for the answer to the one before it.
constexpr std::chrono::seconds in_order{2};

bool is_ready(const std::future<void>& answer) {
  return answer.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
}

void show_line(std::string_view text) {
  write_output(std::string(text) + "\n");
}

}  // namespace

console::console(connection& bus, command_router& router, settings options,
                 std::function<void()> on_end)
    : bus_(bus),
      router_(router),
      speaker_(std::move(options)),
      on_end_(std::move(on_end)),
      stop_event_(::eventfd(0, EFD_CLOEXEC)) {
  if (stop_event_ < 0) throw std::system_error(errno, std::system_category(), "eventfd");
  auto opened = bus.subscribe(wire::subjects::chat_send, "",
                              [channel = speaker_.channel](inbound_message message) {
                                const auto object = wire::parse_object(message.payload());
                                if (!object) return;
                                wire::field_reader in(*object);
                                const std::string to = in.name("channel");
                                const std::string text = in.text("message");
                                if (!in.failed() && to == channel) show_line(text);
                              });
  if (!opened) {
    ::close(stop_event_);
    throw std::runtime_error(opened.error().message);
  }
  announcements_ = std::move(*opened);
}

void console::start() {
  reader_ = std::thread([this] { read_lines(); });
}

void console::stop() {
  stopping_ = true;
  const std::uint64_t one = 1;
  static_cast<void>(!::write(stop_event_, &one, sizeof one));
  answers_.drop();
}

console::~console() {
  stop();
  if (reader_.joinable()) reader_.join();
  announcements_.end();
  ::close(stop_event_);
}

bool console::is_attached() {
  struct stat input {};
  if (::fstat(STDIN_FILENO, &input) != 0) return false;
  return ::isatty(STDIN_FILENO) || S_ISFIFO(input.st_mode) || S_ISREG(input.st_mode) ||
         S_ISSOCK(input.st_mode);
}

void console::tell(wire::presence_event what) {
  here_.insert(speaker_.user);
  static_cast<void>(bus_.publish(wire::subjects::chat_users,
                                 wire::encode({speaker_.channel, speaker_.user, what})));
}

void console::read_lines() {
  tell(wire::presence_event::join);
  std::string pending;
  bool too_long = false;
  const auto take = [&](std::string line) {
    if (stopping_) return;
    if (std::exchange(too_long, false)) {
      show_line(fmt::format("❌ That line has more than {} bytes", longest_line));
    } else {
      handle_line(std::move(line));
    }
  };
  for (;;) {
    pollfd sources[] = {{STDIN_FILENO, POLLIN, 0}, {stop_event_, POLLIN, 0}};
    if (::poll(sources, 2, -1) < 0 && errno != EINTR) break;
    if (sources[1].revents) return;
    if (!sources[0].revents) continue;
    char buffer[16384];
    const ssize_t size = ::read(STDIN_FILENO, buffer, sizeof buffer);
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) break;
    std::string_view arrived(buffer, static_cast<std::size_t>(size));
    for (auto end = arrived.find('\n'); end != std::string_view::npos; end = arrived.find('\n')) {
      pending.append(arrived.substr(0, end));
      arrived.remove_prefix(end + 1);
      take(std::exchange(pending, {}));
    }
    pending.append(arrived);
    if (pending.size() > longest_line) {
      too_long = true;
      pending.clear();
    }
  }
  if (!pending.empty() || too_long) take(std::move(pending));
  answers_.finish();
  const auto leaving = here_;
  for (const std::string& user : leaving) {
    speaker_.user = user;
    tell(wire::presence_event::part);
  }
  on_end_();
}

void console::handle_line(std::string text) {
  if (switch_user(text)) return;
  tell(wire::presence_event::talk);
  const chat_line line{speaker_.channel, speaker_.user, speaker_.role, std::move(text)};
  const auto answer = [this, line] {
    if (const auto text = router_.answer(line)) show_line(*text);
  };
  const std::string lane = router_.lane_of(line);
  if (lane.empty()) return answer();
  const auto answered = std::make_shared<std::promise<void>>();
  std::future<void> done = answered->get_future();
  const bool taken = answers_.post(lane, [answer, answered] {
    answer();
    answered->set_value();
  });
  if (!taken) return show_line(fmt::format("❌ Too many commands wait for '{}'", lane));
  const auto behind = overdue_.find(lane);
  const bool late = behind != overdue_.end() && !is_ready(behind->second);
  if (!late && done.wait_for(in_order) == std::future_status::ready) {
    overdue_.erase(lane);
  } else {
    overdue_.insert_or_assign(lane, std::move(done));
  }
}

// "/as NAME [user|moderator|admin]": whoever sits at the console may speak for anybody.
bool console::switch_user(std::string_view line) {
  if (line != "/as" && !line.starts_with("/as ")) return false;
  line.remove_prefix(3);
  const auto word = [&line] {
    line.remove_prefix(std::min(line.find_first_not_of(" \t\r"), line.size()));
    const std::string_view found = line.substr(0, line.find_first_of(" \t\r"));
    line.remove_prefix(found.size());
    return std::string(found);
  };
  const std::string user = word();
  const std::string role_name = word();
  const auto role =
      role_name.empty() ? std::optional(wire::role::user) : wire::role_from(role_name);
  if (user.empty() || user.size() > wire::max_name || wire::has_control_characters(user) || !role) {
    show_line("❌ Usage: /as NAME [user|moderator|admin]");
    return true;
  }
  speaker_.user = user;
  speaker_.role = *role;
  show_line(fmt::format("You speak as {} ({})", user, to_string(*role)));
  return true;
}

}  // namespace rosey::host
