// The proxy that breaks connections breaks them as it says, between real peers and a real server.
#include "fakes/nats_proxy.hpp"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "host_stub/bus/nats_server.hpp"
#include "integration/support/process.hpp"

namespace rosey::tests {
namespace {

using namespace std::chrono_literals;
using testing::EndsWith;
using testing::HasSubstr;
using direction = nats_proxy::direction;

constexpr auto shortly = 50ms;  // how long a silence is looked at

// Speaks NATS byte by byte, so that a test sees which of them arrived.
class raw_peer {
 public:
  // Connects, and says nothing yet.
  explicit raw_peer(const std::string& url) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(std::stoi(url.substr(url.rfind(':') + 1))));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ =
        ::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    refused_ = !connected_ && errno == ECONNREFUSED;
    const auto begin = url.find("//") + 2;
    token_ = url.substr(begin, url.find('@') - begin);
  }
  ~raw_peer() { ::close(socket_); }
  raw_peer(const raw_peer&) = delete;
  raw_peer& operator=(const raw_peer&) = delete;

  bool refused() const { return refused_; }

  // Until the server has answered.
  void log_in() {
    send(R"(CONNECT {"verbose":false,"pedantic":false,"auth_token":")" + token_ +
         "\"}\r\nPING\r\n");
    EXPECT_THAT(read_until("PONG\r\n"), EndsWith("PONG\r\n"));
  }
  void send(std::string_view text) {
    EXPECT_EQ(::send(socket_, text.data(), text.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(text.size()));
  }
  // What has come up to `end`; less if the connection has ended, or nothing comes for so long.
  std::string read_until(std::string_view end, std::chrono::milliseconds most = patience) {
    std::string got;
    pollfd readable{socket_, POLLIN, 0};
    while (!got.ends_with(end) && ::poll(&readable, 1, static_cast<int>(most.count())) > 0) {
      char next = 0;
      if (::recv(socket_, &next, 1, 0) != 1) {
        ended_ = true;
        break;
      }
      got += next;
    }
    return got;
  }
  // All that comes until the connection ends.
  std::string read_to_end() {
    std::string got = read_until("no such bytes");
    EXPECT_TRUE(ended_);
    return got;
  }
  bool silent() { return read_until("\n", shortly).empty() && !ended_; }

 private:
  int socket_;
  bool connected_ = false, refused_ = false, ended_ = false;
  std::string token_;
};

class NatsProxy : public testing::Test {
 protected:
  // A peer through the proxy that listens on "news".
  std::unique_ptr<raw_peer> listener() {
    auto peer = std::make_unique<raw_peer>(proxy_.url());
    peer->log_in();
    peer->send("SUB news 1\r\nPING\r\n");
    EXPECT_EQ(peer->read_until("PONG\r\n"), "PONG\r\n");
    return peer;
  }

  // Returns when the server has it.
  void publish(std::string_view text) {
    sender_.send("PUB news " + std::to_string(text.size()) + "\r\n" + std::string(text) +
                 "\r\nPING\r\n");
    EXPECT_EQ(sender_.read_until("PONG\r\n"), "PONG\r\n");
  }

  void SetUp() override { sender_.log_in(); }

  host::nats_server server_;
  nats_proxy proxy_{server_.url()};
  raw_peer sender_{server_.url()};  // not through the proxy
};

TEST_F(NatsProxy, ChangesNothingByItself) {
  const auto peer = listener();
  publish("one");
  publish(std::string(100'000, 'x'));
  EXPECT_EQ(peer->read_until("\r\none\r\n"), "MSG news 1 3\r\none\r\n");
  EXPECT_EQ(peer->read_until("x\r\n").size(), 19 + 100'000 + 2u);
  EXPECT_EQ(proxy_.seen().open, 1u);
}

TEST_F(NatsProxy, Delays) {
  const auto peer = listener();
  proxy_.delay(100ms);
  const auto began = std::chrono::steady_clock::now();
  peer->send("PING\r\n");
  EXPECT_EQ(peer->read_until("PONG\r\n"), "PONG\r\n");
  EXPECT_GE(std::chrono::steady_clock::now() - began, 200ms);
}

TEST_F(NatsProxy, Cuts) {
  const auto one = listener();
  const auto other = listener();
  proxy_.cut();
  EXPECT_EQ(one->read_to_end(), "");
  EXPECT_EQ(other->read_to_end(), "");
  EXPECT_EQ(proxy_.seen().open, 0u);
  listener();  // new ones are served
}

TEST_F(NatsProxy, CutsInsideAMessageToTheClient) {
  const auto one = listener();
  proxy_.cut_after(direction::to_client, 17);
  publish("one two");
  EXPECT_EQ(one->read_to_end(), "MSG news 1 7\r\none");
  listener();
}

TEST_F(NatsProxy, CutsInsideAMessageToTheServer) {
  sender_.send("SUB news 1\r\n");
  raw_peer peer(proxy_.url());
  peer.log_in();
  proxy_.cut_after(direction::to_server, 14);
  peer.send("PUB news 7\r\none two\r\n");
  EXPECT_EQ(peer.read_to_end(), "");
  EXPECT_TRUE(sender_.silent());
}

TEST_F(NatsProxy, ForgetsWhatExistsAndServesWhatIsNew) {
  const auto old = listener();
  proxy_.forget();
  const auto fresh = listener();
  publish("one");
  EXPECT_EQ(fresh->read_until("\r\none\r\n"), "MSG news 1 3\r\none\r\n");
  EXPECT_TRUE(old->silent());
  proxy_.pass();
  EXPECT_TRUE(old->silent());
  proxy_.end_forgotten();
  EXPECT_EQ(old->read_to_end(), "");
  publish("two");
  EXPECT_EQ(fresh->read_until("\r\ntwo\r\n"), "MSG news 1 3\r\ntwo\r\n");
}

TEST_F(NatsProxy, HoldsOneDirectionAndSendsItOnLater) {
  const auto peer = listener();
  proxy_.hold(direction::to_client);
  peer->send("PUB news 3\r\none\r\n");
  EXPECT_TRUE(peer->silent());
  proxy_.pass();
  EXPECT_EQ(peer->read_until("\r\none\r\n"), "MSG news 1 3\r\none\r\n");
}

TEST_F(NatsProxy, IsABlackHole) {
  const auto old = listener();
  proxy_.black_hole();
  raw_peer fresh(proxy_.url());
  publish("one");
  EXPECT_TRUE(old->silent());
  EXPECT_TRUE(fresh.silent());
  proxy_.pass();
  EXPECT_EQ(old->read_until("\r\none\r\n"), "MSG news 1 3\r\none\r\n");
  fresh.log_in();
}

TEST_F(NatsProxy, Refuses) {
  const auto old = listener();
  proxy_.refuse();
  EXPECT_EQ(old->read_to_end(), "");
  EXPECT_TRUE(raw_peer(proxy_.url()).refused());
  proxy_.pass();
  listener();
}

TEST_F(NatsProxy, LosesConnectionsInAStormAndThenIsSilentOnce) {
  proxy_.storm(20);
  for (int lost = 0; lost < 20; ++lost) raw_peer(proxy_.url()).read_to_end();
  raw_peer quiet(proxy_.url());
  EXPECT_TRUE(quiet.silent());
  listener();
  EXPECT_TRUE(quiet.silent());
  EXPECT_EQ(proxy_.seen().accepted, 22u);
}

TEST_F(NatsProxy, DoublesMessagesAndNothingElse) {
  const auto peer = listener();
  proxy_.duplicate(direction::to_client, 2);
  publish("one");
  publish("two\r\nPUB");
  publish("three");
  EXPECT_EQ(peer->read_until("three\r\n"),
            "MSG news 1 3\r\none\r\nMSG news 1 8\r\ntwo\r\nPUB\r\n"
            "MSG news 1 8\r\ntwo\r\nPUB\r\nMSG news 1 5\r\nthree\r\n");
  proxy_.pass();
  proxy_.duplicate(direction::to_server, 1);
  peer->send("PUB news 4\r\nfour\r\nPING\r\n");
  EXPECT_EQ(peer->read_until("PONG\r\n"),
            "MSG news 1 4\r\nfour\r\nMSG news 1 4\r\nfour\r\nPONG\r\n");
  EXPECT_EQ(proxy_.seen().duplicated, 2u);
}

TEST_F(NatsProxy, EndsWithWhatItHolds) {
  auto gone = std::make_unique<nats_proxy>(server_.url());
  raw_peer peer(gone->url());
  peer.log_in();
  gone->black_hole();
  gone.reset();
  EXPECT_EQ(peer.read_to_end(), "");
}

}  // namespace
}  // namespace rosey::tests
