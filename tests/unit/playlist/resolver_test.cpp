// Name servers that answer, answer wrongly, or never do.
#include "playlist_plugin/metadata/resolver.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <array>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <boost/system/system_error.hpp>
#include <chrono>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "playlist_plugin/metadata/fetch_codes.hpp"

namespace rosey::playlist::testing {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using asio::ip::udp;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::steady_clock;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

// A name server on this machine. What it answers is up to the test; without that, it is silent.
class name_server {
 public:
  explicit name_server(asio::io_context& io) : udp_(io), tcp_(io), connection_(io) {
    while (!open_on_one_port(io)) {
    }
    receive();
    accept();
  }

  // From a query, without its length, to an answer.
  std::function<std::string(const std::string& query)> answer_udp;
  std::function<std::string(const std::string& query)> answer_tcp;
  std::function<void()> on_query = [] {};
  int asked = 0;

  resolver::name_servers address() const { return {udp_.local_endpoint()}; }

 private:
  // False if the port that is free for UDP is taken for TCP.
  bool open_on_one_port(asio::io_context& io) {
    const auto here = asio::ip::address_v4::loopback();
    udp_ = udp::socket(io, udp::endpoint(here, 0));
    tcp_ = tcp::acceptor(io, tcp::v4());
    boost::system::error_code taken;
    tcp_.bind(tcp::endpoint(here, udp_.local_endpoint().port()), taken);
    if (!taken) tcp_.listen(asio::socket_base::max_listen_connections, taken);
    return !taken;
  }
  void receive() {
    udp_.async_receive_from(asio::buffer(query_), from_,
                            [this](boost::system::error_code failure, std::size_t size) {
                              if (failure) return;
                              ++asked;
                              const std::string query(query_.data(), size);
                              if (answer_udp) {
                                udp_.send_to(asio::buffer(answer_udp(query)), from_);
                              }
                              receive();
                              on_query();
                            });
  }

  void accept() {
    tcp_.async_accept(connection_, [this](boost::system::error_code failure) {
      if (!failure) read();
    });
  }

  void read() {
    asio::async_read(connection_, asio::buffer(query_, 2),
                     [this](boost::system::error_code failure, std::size_t) {
                       if (failure) return;
                       const auto high = static_cast<unsigned char>(query_[0]);
                       const auto low = static_cast<unsigned char>(query_[1]);
                       std::string query(high * 256u + low, '\0');
                       asio::read(connection_, asio::buffer(query));
                       const std::string answer = answer_tcp(query);
                       const std::string size = {static_cast<char>(answer.size() / 256),
                                                 static_cast<char>(answer.size() % 256)};
                       asio::write(connection_, asio::buffer(size + answer));
                       read();
                     });
  }

  udp::socket udp_;
  tcp::acceptor tcp_;
  tcp::socket connection_;
  udp::endpoint from_;
  std::array<char, 1024> query_;
};

// A header and the question; the rest follows (RFC 1035, 4.1).
std::string reply_to(const std::string& query, char flags, char code, char answers) {
  std::string reply = query.substr(0, 2);
  reply += static_cast<char>(0x81 | flags);
  reply += static_cast<char>(0x80 | code);
  reply += std::string{0, 1, 0, answers, 0, 0, 0, 0};
  const std::size_t end_of_name = query.find('\0', 12);
  return reply + query.substr(12, end_of_name + 5 - 12);
}

// 192.0.2.7 and 2001:db8::7, as each is asked for.
std::string both(const std::string& query) {
  const bool v6 = query[query.find('\0', 12) + 2] == 28;
  std::string reply = reply_to(query, 0, 0, 1);
  reply += std::string{'\xc0', 12, 0, v6 ? '\x1c' : '\x01', 0, 1, 0, 0, 0, 60, 0};
  if (v6) return reply + '\x10' + std::string("\x20\x01\x0d\xb8", 4) + std::string(11, '\0') + '\7';
  return reply + '\4' + std::string("\xc0\0\2\7", 4);
}

std::string no_such_name(const std::string& query) {
  return reply_to(query, 0, 3, 0);
}

std::string too_long_for_udp(const std::string& query) {
  return reply_to(query, 2, 0, 0);
}

std::size_t entries(const char* folder) {
  const std::filesystem::directory_iterator all(folder);
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

class resolver_test : public ::testing::Test {
 protected:
  using found = result<resolver::endpoints>;

  // A look-up of a name ends by an answer, a failure, or an exception.
  void begin(const resolver& names, const std::string& host, steady_clock::time_point deadline) {
    asio::co_spawn(io, names.find(host, 443, deadline),
                   asio::bind_cancellation_slot(
                       cancel.slot(), [this](std::exception_ptr thrown, const found& got) {
                         ended = true;
                         failure = std::move(thrown);
                         if (!failure) outcome = got;
                       }));
  }
  found find(const resolver& names, const std::string& host,
             steady_clock::time_point deadline = steady_clock::now() + hours(1)) {
    begin(names, host, deadline);
    run_until([this] { return ended; });
    if (failure) std::rethrow_exception(failure);
    return *outcome;
  }
  void run_until(const std::function<bool()>& reached) {
    const auto limit = steady_clock::now() + std::chrono::seconds(20);
    while (!reached() && steady_clock::now() < limit) io.run_one_for(milliseconds(100));
    ASSERT_TRUE(reached()) << "it never happens";
  }

  static tcp::endpoint endpoint(const char* address) {
    return {asio::ip::make_address(address), 443};
  }

  asio::io_context io;
  asio::cancellation_signal cancel;
  bool ended = false;
  std::exception_ptr failure;
  std::optional<found> outcome;
};

TEST_F(resolver_test, gives_addresses_of_both_families) {
  name_server server(io);
  server.answer_udp = both;
  const resolver names(io.get_executor(), server.address());
  EXPECT_THAT(*find(names, "site.test"),
              UnorderedElementsAre(endpoint("192.0.2.7"), endpoint("2001:db8::7")));
}

TEST_F(resolver_test, asks_over_tcp_for_what_is_too_long_for_udp) {
  name_server server(io);
  server.answer_udp = too_long_for_udp;
  server.answer_tcp = both;
  const resolver names(io.get_executor(), server.address());
  EXPECT_THAT(*find(names, "site.test"),
              UnorderedElementsAre(endpoint("192.0.2.7"), endpoint("2001:db8::7")));
}

TEST_F(resolver_test, asks_the_next_server_when_one_is_not_there) {
  name_server server(io);
  server.answer_udp = both;
  resolver::name_servers servers = server.address();
  servers.insert(servers.begin(), *parse_name_server("[::1]:1"));
  const resolver names(io.get_executor(), servers);
  EXPECT_EQ(find(names, "site.test")->size(), 2u);
}

TEST_F(resolver_test, says_that_there_is_no_such_name) {
  name_server server(io);
  server.answer_udp = no_such_name;
  const resolver names(io.get_executor(), server.address());
  const auto got = find(names, "site.test");
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, fetch_codes::failed);
  EXPECT_THAT(got.error().message, HasSubstr("site.test: "));
}

TEST_F(resolver_test, asks_nobody_about_addresses_and_this_machine) {
  name_server server(io);
  const resolver names(io.get_executor(), server.address());
  EXPECT_THAT(*find(names, "192.0.2.1"), ElementsAre(endpoint("192.0.2.1")));
  ended = false;
  EXPECT_THAT(*find(names, "2001:db8::1"), ElementsAre(endpoint("2001:db8::1")));
  ended = false;
  EXPECT_THAT(*find(names, "localhost"), ::testing::Contains(endpoint("127.0.0.1")));
  EXPECT_EQ(server.asked, 0);
}

TEST_F(resolver_test, gives_a_silent_server_up_at_the_deadline) {
  name_server server(io);
  const resolver names(io.get_executor(), server.address());
  const auto began = steady_clock::now();
  const auto got = find(names, "site.test", began + milliseconds(100));
  ASSERT_FALSE(got);
  EXPECT_THAT(got.error().message, HasSubstr("no name server has answered"));
  EXPECT_GT(server.asked, 0);
  EXPECT_GE(steady_clock::now() - began, milliseconds(100));
  EXPECT_LT(steady_clock::now() - began, std::chrono::seconds(2)) << "c-ares' own timeout";
}

TEST_F(resolver_test, asks_a_silent_server_again) {
  name_server server(io);
  // Both families are asked for at once, and again after c-ares' own timeout.
  server.on_query = [&] {
    if (server.asked == 2) server.answer_udp = both;
  };
  const resolver names(io.get_executor(), server.address());
  EXPECT_EQ(find(names, "site.test")->size(), 2u);
  EXPECT_EQ(server.asked, 4);
}

TEST_F(resolver_test, ends_at_once_when_it_is_cancelled) {
  name_server server(io);
  server.on_query = [this] { cancel.emit(asio::cancellation_type::terminal); };
  const resolver names(io.get_executor(), server.address());
  const auto began = steady_clock::now();
  try {
    find(names, "site.test");
    ADD_FAILURE() << "it was not cancelled";
  } catch (const boost::system::system_error& cancelled) {
    EXPECT_EQ(cancelled.code(), asio::error::operation_aborted);
  }
  EXPECT_LT(steady_clock::now() - began, std::chrono::seconds(2)) << "c-ares' own timeout";
}

TEST_F(resolver_test, leaves_nothing_behind_however_it_ends) {
  const std::size_t descriptors = entries("/proc/self/fd");
  const std::size_t threads = entries("/proc/self/task");
  const auto began = steady_clock::now();
  {
    asio::io_context other;
    name_server server(other);
    const resolver names(other.get_executor(), server.address());
    asio::co_spawn(other, names.find("site.test", 443, steady_clock::now() + hours(1)),
                   [](std::exception_ptr, const found&) { ADD_FAILURE() << "it ended"; });
    while (server.asked == 0) other.run_one();
    EXPECT_EQ(entries("/proc/self/task"), threads);
  }
  EXPECT_EQ(entries("/proc/self/fd"), descriptors);
  EXPECT_LT(steady_clock::now() - began, std::chrono::seconds(2)) << "nobody waited for it";
}

TEST(name_servers, are_addresses_with_or_without_a_port) {
  const auto shown = [](const char* text) {
    const auto parsed = parse_name_server(text);
    return parsed ? parsed->address().to_string() + " " + std::to_string(parsed->port()) : "none";
  };
  EXPECT_EQ(shown("192.0.2.1"), "192.0.2.1 53");
  EXPECT_EQ(shown("192.0.2.1:5353"), "192.0.2.1 5353");
  EXPECT_EQ(shown("2001:db8::1"), "2001:db8::1 53");
  EXPECT_EQ(shown("[2001:db8::1]:5353"), "2001:db8::1 5353");
  for (const char* wrong :
       {"", "dns.example", ":53", "192.0.2.1:", "192.0.2.1:0", "192.0.2.1:65536", "192.0.2.1:x",
        "[192.0.2.1]:53", "[::1]", "[::1]:53x", "fe80::1%lo", "[fe80::1%lo]:53"}) {
    EXPECT_EQ(shown(wrong), "none") << wrong;
  }
}

}  // namespace
}  // namespace rosey::playlist::testing
