// c-ares, waited for through Asio. A look-up lives in the coroutine that asked and nowhere else.
//
// ares_library_init is not called: outside Windows it only counts its calls, in a variable that the
// two instances of a swap, on two threads, would share with whoever else uses c-ares.
#include "playlist_plugin/metadata/resolver.hpp"

#include <ares.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <list>
#include <memory>
#include <stdexcept>
#include <utility>

#include "playlist_plugin/metadata/fetch_codes.hpp"

namespace rosey::playlist {
namespace {

namespace asio = boost::asio;
namespace chrono = std::chrono;
using asio::awaitable;
using asio::ip::tcp;
using asio::ip::udp;

constexpr std::uint16_t dns_port = 53;

// A server has one second, and two when it is asked again: so a list of which one is dead, or two
// that keep silent about one family of addresses, are through within the usual deadline.
constexpr int first_patience = 1'000;  // milliseconds
constexpr int tries_for_each_server = 2;

class descriptor {
 public:
  explicit descriptor(int number) : number_(number) {
    if (number < 0) {
      throw boost::system::system_error(errno, boost::system::system_category());
    }
  }
  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;
  ~descriptor() {
    if (number_ >= 0) ::close(number_);
  }

  int get() const { return number_; }
  int release() { return std::exchange(number_, -1); }

 private:
  int number_;
};

struct channel_closer {
  void operator()(ares_channel channel) const noexcept { ares_destroy(channel); }
};
using channel_owner = std::unique_ptr<ares_channeldata, channel_closer>;

struct addresses_closer {
  void operator()(ares_addrinfo* found) const noexcept { ares_freeaddrinfo(found); }
};

// One epoll descriptor gathers the sockets that c-ares opens and a clock for its timeouts, so that
// one wait covers them all: while it lasts, the coroutine is all there is to cancel or to destroy.
class lookup {
 public:
  lookup(const asio::any_io_executor& executor, const resolver::name_servers& servers)
      : ready_(executor), clock_(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)) {
    descriptor gathered(::epoll_create1(EPOLL_CLOEXEC));
    ready_.assign(gathered.get());
    gathered.release();
    listen_to(clock_.get(), EPOLLIN);
    open_channel(servers);
  }
  lookup(const lookup&) = delete;
  lookup& operator=(const lookup&) = delete;

  awaitable<result<resolver::endpoints>> run(std::string host, std::uint16_t port,
                                             resolver::moment deadline) {
    ares_addrinfo_hints wanted{};
    wanted.ai_family = AF_UNSPEC;
    wanted.ai_socktype = SOCK_STREAM;
    ares_getaddrinfo(channel_.get(), host.c_str(), nullptr, &wanted, &lookup::answered, this);
    while (!over_) {
      if (chrono::steady_clock::now() >= deadline) co_return too_late();
      wake_until(deadline);
      auto [failure] = co_await ready_.async_wait(asio::posix::descriptor_base::wait_read,
                                                  asio::as_tuple(asio::use_awaitable));
      if (failure) throw boost::system::system_error(failure);
      process();
    }
    if (status_ == ARES_ETIMEOUT) co_return too_late();
    if (status_ != ARES_SUCCESS) {
      co_return error{fetch_codes::failed, host + ": " + ares_strerror(status_)};
    }
    resolver::endpoints all = to_endpoints(port);
    if (all.empty()) co_return error{fetch_codes::failed, host + ": has no address"};
    co_return all;
  }

 private:
  static error too_late() {
    return {fetch_codes::failed, "no name server has answered before the timeout"};
  }

  void open_channel(const resolver::name_servers& servers) {
    ares_options chosen{};
    chosen.timeout = first_patience;
    chosen.tries = tries_for_each_server;
    chosen.sock_state_cb = &lookup::socket_changed;
    chosen.sock_state_cb_data = this;
    ares_channel opened = nullptr;
    const int failure = ares_init_options(
        &opened, &chosen, ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB);
    if (failure != ARES_SUCCESS) throw_failure(failure);
    channel_.reset(opened);
    if (!servers.empty()) choose(servers);
  }

  void choose(const resolver::name_servers& servers) {
    std::list<ares_addr_port_node> all;
    for (const udp::endpoint& server : servers) {
      ares_addr_port_node node{};
      const asio::ip::address address = server.address();
      node.family = address.is_v6() ? AF_INET6 : AF_INET;
      if (address.is_v6()) {
        const auto bytes = address.to_v6().to_bytes();
        std::memcpy(&node.addr.addr6, bytes.data(), bytes.size());
      } else {
        const auto bytes = address.to_v4().to_bytes();
        std::memcpy(&node.addr.addr4, bytes.data(), bytes.size());
      }
      node.udp_port = node.tcp_port = server.port();
      all.push_back(node);
      if (all.size() > 1) std::prev(all.end(), 2)->next = &all.back();
    }
    const int failure = ares_set_servers_ports(channel_.get(), &all.front());
    if (failure != ARES_SUCCESS) throw_failure(failure);
  }

  [[noreturn]] static void throw_failure(int status) {
    throw std::runtime_error(std::string("no name can be looked up: ") + ares_strerror(status));
  }

  // The one way in for what c-ares found; also called by ares_destroy, for a look-up that is given
  // up.
  static void answered(void* opaque, int status, int, ares_addrinfo* found) noexcept {
    auto* self = static_cast<lookup*>(opaque);
    self->over_ = true;
    self->status_ = status;
    self->found_.reset(found);
  }

  // Called for each socket before it is closed, too.
  static void socket_changed(void* opaque, ares_socket_t socket, int readable,
                             int writable) noexcept {
    const std::uint32_t events = (readable ? EPOLLIN : 0u) | (writable ? EPOLLOUT : 0u);
    static_cast<lookup*>(opaque)->listen_to(socket, events);
  }

  void listen_to(int number, std::uint32_t events) noexcept {
    const int gathered = ready_.native_handle();
    epoll_event wanted{};
    wanted.events = events;
    wanted.data.fd = number;
    if (events == 0) {
      ::epoll_ctl(gathered, EPOLL_CTL_DEL, number, nullptr);
    } else if (::epoll_ctl(gathered, EPOLL_CTL_MOD, number, &wanted) != 0) {
      // What cannot be listened to, for want of memory, is as silent as a dead server.
      ::epoll_ctl(gathered, EPOLL_CTL_ADD, number, &wanted);
    }
  }

  // Lets the wait end when c-ares wants to ask again, and at the deadline.
  void wake_until(resolver::moment deadline) {
    timeval left{};
    resolver::moment at = deadline;
    if (ares_timeout(channel_.get(), nullptr, &left)) {
      // c-ares cuts off what is less than a millisecond.
      const auto pause = chrono::seconds(left.tv_sec) + chrono::microseconds(left.tv_usec) +
                         chrono::milliseconds(1);
      at = std::min(at, chrono::steady_clock::now() + pause);
    }
    const auto since = at.time_since_epoch();
    const auto whole = chrono::duration_cast<chrono::seconds>(since);
    itimerspec alarm{};
    alarm.it_value.tv_sec = whole.count();
    alarm.it_value.tv_nsec = chrono::nanoseconds(since - whole).count();
    ::timerfd_settime(clock_.get(), TFD_TIMER_ABSTIME, &alarm, nullptr);
  }

  void process() {
    std::array<epoll_event, 16> events;
    const int count =
        ::epoll_wait(ready_.native_handle(), events.data(), static_cast<int>(events.size()), 0);
    for (int index = 0; index < count; ++index) {
      const epoll_event& event = events[static_cast<std::size_t>(index)];
      if (event.data.fd == clock_.get()) continue;
      constexpr std::uint32_t broken = EPOLLERR | EPOLLHUP;
      ares_process_fd(channel_.get(),
                      event.events & (EPOLLIN | broken) ? event.data.fd : ARES_SOCKET_BAD,
                      event.events & (EPOLLOUT | broken) ? event.data.fd : ARES_SOCKET_BAD);
    }
    ares_process_fd(channel_.get(), ARES_SOCKET_BAD, ARES_SOCKET_BAD);  // what is due by time
  }

  resolver::endpoints to_endpoints(std::uint16_t port) const {
    resolver::endpoints all;
    const ares_addrinfo_node* node = found_ ? found_->nodes : nullptr;
    for (; node; node = node->ai_next) {
      tcp::endpoint one;
      if (node->ai_addrlen > one.capacity()) continue;
      std::memcpy(one.data(), node->ai_addr, node->ai_addrlen);
      one.resize(node->ai_addrlen);
      one.port(port);
      all.push_back(one);
    }
    return all;
  }

  bool over_ = false;
  int status_ = ARES_SUCCESS;
  std::unique_ptr<ares_addrinfo, addresses_closer> found_;
  asio::posix::stream_descriptor ready_;
  descriptor clock_;
  channel_owner channel_;  // the last, because its end calls back
};

}  // namespace

std::optional<udp::endpoint> parse_name_server(std::string_view text) {
  if (text.find('%') != std::string_view::npos) return std::nullopt;  // c-ares takes no scope
  boost::system::error_code failure;
  const auto whole = asio::ip::make_address(text, failure);
  if (!failure) return udp::endpoint(whole, dns_port);
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  const bool bracketed = host.starts_with('[') && host.ends_with(']');
  if (bracketed) host = host.substr(1, host.size() - 2);
  const auto address = asio::ip::make_address(host, failure);
  if (failure || address.is_v6() != bracketed) return std::nullopt;
  std::uint16_t port = 0;
  const char* const end = text.data() + text.size();
  const auto [stopped, wrong] = std::from_chars(text.data() + colon + 1, end, port);
  if (wrong != std::errc() || stopped != end || port == 0) return std::nullopt;
  return udp::endpoint(address, port);
}

resolver::resolver(asio::any_io_executor executor, name_servers servers)
    : executor_(std::move(executor)), servers_(std::move(servers)) {}

awaitable<result<resolver::endpoints>> resolver::find(std::string host, std::uint16_t port,
                                                      moment deadline) const {
  boost::system::error_code not_an_address;
  const auto address = asio::ip::make_address(host, not_an_address);
  if (!not_an_address) co_return endpoints(1, tcp::endpoint(address, port));
  lookup running(executor_, servers_);
  auto found = co_await running.run(std::move(host), port, deadline);
  co_return found;
}

}  // namespace rosey::playlist
