#include "fakes/nats_proxy.hpp"

#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <random>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "fakes/loopback_socket.hpp"
#include "fakes/nats_messages.hpp"

namespace rosey::tests {
namespace {

using steady_time = std::chrono::steady_clock::time_point;
using direction = nats_proxy::direction;

constexpr std::size_t most_held = 1 << 20;  // bytes; past them nothing more is read

struct chunk {
  steady_time due;
  std::string bytes;
};

// One direction of a connection.
struct flow {
  std::deque<chunk> waiting;
  std::size_t held = 0;  // bytes that wait
  bool ended = false;    // nothing more is read; when nothing waits, the connection ends
  message_splitter messages;
};

struct link {
  socket_handle client, server;
  std::array<flow, 2> flows;  // by direction
  bool forgotten = false;
  bool over = false;
  steady_time lost_at = steady_time::max();
};

constexpr std::array both{direction::to_server, direction::to_client};

direction opposite(direction which) {
  return which == direction::to_server ? direction::to_client : direction::to_server;
}

std::size_t index(direction which) {
  return static_cast<std::size_t>(which);
}

}  // namespace

// All but the constructor, url() and what waits runs on the one thread.
class nats_proxy::worker {
 public:
  explicit worker(const std::string& server_url) {
    const auto address = server_url.find_last_of("@/") + 1;
    const auto colon = server_url.rfind(':');
    int port = 0;
    std::from_chars(server_url.data() + colon + 1, server_url.data() + server_url.size(), port);
    server_ = loopback(static_cast<std::uint16_t>(port));
    listener_ = bind_to(0);
    port_ = port_of(listener_);
    listen();
    url_ = server_url.substr(0, address) + "127.0.0.1:" + std::to_string(port_);
    wake_ = socket_handle(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (wake_.get() < 0) fail_with("eventfd");
    thread_ = std::thread([this] { run(); });
  }

  ~worker() {
    call([this] { ending_ = true; });
    thread_.join();
  }

  const std::string& url() const { return url_; }

  // Runs it on the thread, and waits for that.
  void call(std::function<void()> work) {
    std::unique_lock lock(mutex_);
    const std::size_t number = ++asked_;
    calls_.push_back(std::move(work));
    const std::uint64_t one = 1;
    static_cast<void>(!::write(wake_.get(), &one, sizeof one));
    changed_.wait(lock, [&] { return done_ >= number; });
  }

  bool wait_until(const std::function<bool(const counts&)>& reached,
                  std::chrono::milliseconds most) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, most, [&] { return reached(shown_); });
  }

  void pass() {
    if (refusing_) listen();
    refusing_ = false;
    delay_ = {};
    held_ = {false, false};
    cut_after_ = {};
    every_ = {};
    lost_left_ = 0;
    silent_next_ = false;
  }
  void delay(std::chrono::milliseconds time) { delay_ = time; }
  void cut() {
    for (link& each : links_) end_abruptly(each);
    drop_ended();
  }
  void cut_after(direction which, std::size_t bytes) { cut_after_[index(which)] = bytes; }
  void forget() {
    for (link& each : links_) each.forgotten = true;
  }
  void end_forgotten() {
    for (link& each : links_) {
      if (each.forgotten) end_abruptly(each);
    }
    drop_ended();
  }
  void hold(direction which) { held_[index(which)] = true; }
  void refuse() {
    cut();
    if (refusing_) return;
    refusing_ = true;
    listener_ = socket_handle();
    listener_ = bind_to(port_);
  }
  void storm(int lost, unsigned seed) {
    lost_left_ = lost;
    silent_next_ = true;
    random_.seed(seed);
  }
  void duplicate(direction which, unsigned every) { every_[index(which)] = every; }

 private:
  void listen() {
    if (::listen(listener_.get(), 128) != 0) fail_with("listen");
  }

  void run() {
    while (!ending_) {
      poll_once();
      do_calls();
    }
    links_.clear();
  }

  void do_calls() {
    std::unique_lock lock(mutex_);
    while (!calls_.empty()) {
      const std::function<void()> next = std::move(calls_.front());
      calls_.pop_front();
      lock.unlock();
      next();
      lock.lock();
      ++done_;
    }
    counts_.open = links_.size();
    shown_ = counts_;
    changed_.notify_all();
  }

  // The descriptor is left out (-1) where nothing is wanted: its end would be reported again and
  // again.
  pollfd wanted(const link& each, direction reads, steady_time now) const {
    const flow& in = each.flows[index(reads)];
    const direction writes = opposite(reads);
    const flow& out = each.flows[index(writes)];
    int events = 0;
    if (!each.forgotten) {
      if (!held_[index(reads)] && !in.ended && in.held < most_held) events |= POLLIN;
      if (!held_[index(writes)] && !out.waiting.empty() && out.waiting.front().due <= now) {
        events |= POLLOUT;
      }
    }
    const int descriptor = reads == direction::to_server ? each.client.get() : each.server.get();
    return {events ? descriptor : -1, static_cast<short>(events), 0};
  }

  int timeout(steady_time now) const {
    steady_time next = steady_time::max();
    for (const link& each : links_) {
      next = std::min(next, each.lost_at);
      for (const direction which : both) {
        const flow& way = each.flows[index(which)];
        if (each.forgotten || held_[index(which)] || way.waiting.empty()) continue;
        if (way.waiting.front().due > now) next = std::min(next, way.waiting.front().due);
      }
    }
    if (next == steady_time::max()) return -1;
    if (next <= now) return 0;
    return static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(next - now).count());
  }

  void poll_once() {
    const steady_time now = std::chrono::steady_clock::now();
    std::vector<pollfd> polled{{wake_.get(), POLLIN, 0},
                               {refusing_ ? -1 : listener_.get(), POLLIN, 0}};
    for (const link& each : links_) {
      for (const direction which : both) polled.push_back(wanted(each, which, now));
    }
    if (::poll(polled.data(), polled.size(), timeout(now)) < 0) return;
    std::uint64_t ignored = 0;
    static_cast<void>(!::read(wake_.get(), &ignored, sizeof ignored));

    for (std::size_t i = 0; i < links_.size(); ++i) {
      for (const direction reads : both) {
        const short found = polled[2 + 2 * i + index(reads)].revents;
        if (found & POLLOUT) write_some(links_[i], opposite(reads));
        if (found & (POLLIN | POLLHUP | POLLERR)) read_some(links_[i], reads);
      }
      if (links_[i].lost_at <= std::chrono::steady_clock::now()) end_abruptly(links_[i]);
    }
    drop_ended();
    if (polled[1].revents) accept_all();
  }

  void read_some(link& each, direction which) {
    flow& way = each.flows[index(which)];
    if (way.ended || held_[index(which)]) return;
    const int from = which == direction::to_server ? each.client.get() : each.server.get();
    std::array<char, 65536> buffer;
    const ssize_t size = ::recv(from, buffer.data(), buffer.size(), 0);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (size <= 0) {
      way.ended = true;
      return;
    }
    std::string_view input(buffer.data(), static_cast<std::size_t>(size));
    std::optional<std::size_t>& left = cut_after_[index(which)];
    if (left) {
      input = input.substr(0, *left);
      *left -= input.size();
      way.ended = *left == 0;
      if (way.ended) left.reset();
    }
    std::string passed = with_duplicates(way, which, input);
    if (passed.empty()) return;
    way.held += passed.size();
    way.waiting.push_back({std::chrono::steady_clock::now() + delay_, std::move(passed)});
    write_some(each, which);
  }

  std::string with_duplicates(flow& way, direction which, std::string_view input) {
    std::string passed;
    while (!input.empty()) {
      const std::size_t size = way.messages.take(input);
      passed += input.substr(0, size);
      input.remove_prefix(size);
      const std::string_view message = way.messages.message();
      if (message.empty() || every_[index(which)] == 0) continue;
      if (++messages_[index(which)] % every_[index(which)] == 0) {
        passed += message;
        ++counts_.duplicated;
      }
    }
    return passed;
  }

  void write_some(link& each, direction which) {
    flow& way = each.flows[index(which)];
    const int to = which == direction::to_server ? each.server.get() : each.client.get();
    std::size_t& total =
        which == direction::to_server ? counts_.bytes_to_server : counts_.bytes_to_client;
    const steady_time now = std::chrono::steady_clock::now();
    while (!way.waiting.empty() && way.waiting.front().due <= now) {
      std::string& bytes = way.waiting.front().bytes;
      const ssize_t size = ::send(to, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
      if (size < 0) {
        each.over = true;
        return;
      }
      total += static_cast<std::size_t>(size);
      way.held -= static_cast<std::size_t>(size);
      bytes.erase(0, static_cast<std::size_t>(size));
      if (bytes.empty()) way.waiting.pop_front();
    }
  }

  void end_abruptly(link& each) {
    each.client.reset_peer();
    each.server.reset_peer();
    each.over = true;
  }

  void drop_ended() {
    std::erase_if(links_, [](const link& each) {
      if (each.over) return true;
      if (each.forgotten) return false;
      return std::any_of(each.flows.begin(), each.flows.end(),
                         [](const flow& way) { return way.ended && way.waiting.empty(); });
    });
  }

  void accept_all() {
    for (;;) {
      socket_handle client(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (client.get() < 0) return;
      ++counts_.accepted;
      socket_handle server = make_socket();
      if (::connect(server.get(), reinterpret_cast<const sockaddr*>(&server_), sizeof server_) !=
          0) {
        client.reset_peer();
        continue;
      }
      make_prompt(client);
      make_prompt(server);
      link made{std::move(client), std::move(server), {}, false, false, steady_time::max()};
      if (lost_left_ > 0) {
        --lost_left_;
        made.lost_at =
            std::chrono::steady_clock::now() + std::chrono::microseconds(random_() % 10'000);
      } else {
        made.forgotten = std::exchange(silent_next_, false);
      }
      links_.push_back(std::move(made));
    }
  }

  sockaddr_in server_{};
  std::string url_;
  std::uint16_t port_ = 0;
  socket_handle listener_, wake_;
  std::vector<link> links_;
  bool ending_ = false, refusing_ = false;
  std::chrono::milliseconds delay_{};
  std::array<bool, 2> held_{};                           // by direction, as the next three
  std::array<std::optional<std::size_t>, 2> cut_after_;  // bytes until then
  std::array<unsigned, 2> every_{};
  std::array<std::size_t, 2> messages_{};
  int lost_left_ = 0;
  bool silent_next_ = false;
  std::minstd_rand random_;  // NOLINT: the same moments every time
  counts counts_;

  std::mutex mutex_;  // guards the next five
  std::condition_variable changed_;
  std::deque<std::function<void()>> calls_;
  std::size_t asked_ = 0, done_ = 0;
  counts shown_;
  std::thread thread_;
};

nats_proxy::nats_proxy(const std::string& server_url)
    : worker_(std::make_unique<worker>(server_url)) {}
nats_proxy::~nats_proxy() = default;

const std::string& nats_proxy::url() const {
  return worker_->url();
}
void nats_proxy::pass() {
  worker_->call([this] { worker_->pass(); });
}
void nats_proxy::delay(std::chrono::milliseconds time) {
  worker_->call([this, time] { worker_->delay(time); });
}
void nats_proxy::cut() {
  worker_->call([this] { worker_->cut(); });
}
void nats_proxy::cut_after(direction which, std::size_t bytes) {
  worker_->call([this, which, bytes] { worker_->cut_after(which, bytes); });
}
void nats_proxy::forget() {
  worker_->call([this] { worker_->forget(); });
}
void nats_proxy::end_forgotten() {
  worker_->call([this] { worker_->end_forgotten(); });
}
void nats_proxy::hold(direction which) {
  worker_->call([this, which] { worker_->hold(which); });
}
void nats_proxy::black_hole() {
  worker_->call([this] {
    for (const direction which : both) worker_->hold(which);
  });
}
void nats_proxy::refuse() {
  worker_->call([this] { worker_->refuse(); });
}
void nats_proxy::storm(int lost, unsigned seed) {
  worker_->call([this, lost, seed] { worker_->storm(lost, seed); });
}
void nats_proxy::duplicate(direction which, unsigned every) {
  worker_->call([this, which, every] { worker_->duplicate(which, every); });
}
nats_proxy::counts nats_proxy::seen() const {
  counts now;
  wait_until([&](const counts& each) {
    now = each;
    return true;
  });
  return now;
}
bool nats_proxy::wait_until(const std::function<bool(const counts&)>& reached,
                            std::chrono::milliseconds most) const {
  return worker_->wait_until(reached, most);
}

}  // namespace rosey::tests
