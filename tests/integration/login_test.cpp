// Logging in to NATS: several servers, refusals that pass, certificates, and sentences that say
// what is wrong.
#include "host_stub/bus/login.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <atomic>
#include <chrono>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "fakes/https_server.hpp"
#include "fakes/nats_keys.hpp"
#include "fakes/nats_proxy.hpp"
#include "host_stub/bus/connection.hpp"
#include "host_stub/bus/nats_server.hpp"
#include "integration/support/process.hpp"
#include "temporary_directory.hpp"

namespace rosey::tests {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::HasSubstr;
using login_clock = std::chrono::steady_clock;

// A nats-server with a configuration of ours, which may change.
class configured_server {
 public:
  explicit configured_server(const std::string& config) {
    write(config);
    process_ = std::make_unique<process>(
        std::vector<std::string>{"/usr/sbin/nats-server", "-c", file()}, folder_.path());
    const std::string line = process_->wait_for_log("Listening for client connections on ");
    address_ = line.substr(line.rfind(' ') + 1);
    process_->wait_for_log("Server is ready");
  }

  void reload(const std::string& config) {
    write(config);
    process_->signal(SIGHUP);
    process_->wait_for_log("Reloaded server configuration");
  }

  void expect_refused_login() { process_->wait_for_log("authentication error"); }

  std::string url(const std::string& login) const { return "nats://" + login + "@" + address_; }
  const std::string& address() const { return address_; }

 private:
  std::string file() const { return folder_.path() / "nats.conf"; }
  void write(const std::string& config) {
    // On a reload "listen" must say what it was, or the server refuses.
    std::ofstream(file()) << "listen: \"127.0.0.1:" << (address_.empty() ? "-1" : port()) << "\"\n"
                          << config << "\n";
  }
  std::string port() const { return address_.substr(address_.rfind(':') + 1); }

  temporary_directory folder_;
  std::string address_;
  std::unique_ptr<process> process_;
};

// libnats closes a connection for ever whose login one server has refused twice.
TEST(Login, ThatIsRefusedForAWhileIsTriedAgain) {
  configured_server server(R"(authorization { user: u, password: "right" })");
  std::atomic<bool> closed = false;
  host::connection bus({.url = server.url("u:right"),
                        .name = "test",
                        .on_closed = [&closed](const std::string&) { closed = true; }});
  ASSERT_TRUE(bus.flush(patience));
  server.reload(R"(authorization { user: u, password: "other" })");
  testing::internal::CaptureStderr();
  const auto deadline = login_clock::now() + patience;
  while (bus.connected() && login_clock::now() < deadline) std::this_thread::sleep_for(1ms);
  ASSERT_FALSE(bus.connected());
  for (int refused = 0; refused < 4; ++refused) server.expect_refused_login();
  server.reload(R"(authorization { user: u, password: "right" })");
  while (!bus.connected() && !closed && login_clock::now() < deadline)
    std::this_thread::sleep_for(1ms);
  testing::internal::GetCapturedStderr();
  EXPECT_FALSE(closed);
  EXPECT_TRUE(bus.flush(patience));
}

std::string reason(const std::string& url, std::chrono::milliseconds timeout = 2s) {
  const auto tried = host::try_login({.url = url, .timeout = timeout}, "test");
  EXPECT_FALSE(tried.succeeded);
  return tried.reason;
}

TEST(Login, SaysWhyItFailed) {
  const configured_server server(R"(authorization { user: u, password: "p@ss:w" })");
  EXPECT_TRUE(host::try_login({.url = server.url("u:p%40ss%3Aw")}, "test").succeeded);
  EXPECT_THAT(reason(server.url("u:wrong")),
              AllOf(HasSubstr("login was refused"), HasSubstr(server.address()),
                    testing::Not(HasSubstr("wrong"))));
  EXPECT_THAT(reason("nats://127.0.0.1:1"), HasSubstr("connection refused"));
  EXPECT_THAT(reason("nats://no-such-host.invalid:4222"), HasSubstr("is unknown"));
  EXPECT_THAT(reason("tls://u:p%40ss%3Aw@" + server.address()), HasSubstr("offers no TLS"));
  EXPECT_THROW(reason("http://127.0.0.1:4222"), std::runtime_error);
  EXPECT_THROW(reason("nats://127.0.0.1:99999"), std::runtime_error);
  host::nats_server silent;
  nats_proxy hole(silent.url());
  hole.black_hole();
  EXPECT_THAT(reason(hole.url(), 300ms), HasSubstr("does not speak NATS"));
}

TEST(Login, TriesSeveralUrlsInTurn) {
  const host::nats_server server;
  const std::string list = "nats://127.0.0.1:1, " + server.url();
  EXPECT_TRUE(host::try_login({.url = list}, "test").succeeded);
  host::connection bus({.url = list, .name = "test"});
  EXPECT_TRUE(bus.flush(patience));
  EXPECT_THAT(reason("nats://127.0.0.1:1,nats://127.0.0.1:2"),
              AllOf(HasSubstr("127.0.0.1:1:"), HasSubstr("127.0.0.1:2:")));
}

TEST(Login, WaitsForAServerThatComesLater) {
  const host::nats_server server;
  nats_proxy away(server.url());
  away.refuse();
  std::vector<std::string> said;
  int pauses = 0;
  const auto reached = host::wait_for_login(
      {.url = away.url()}, "test", 60s, [&](const std::string& what) { said.push_back(what); },
      [&](std::chrono::milliseconds) {
        if (++pauses == 3) away.pass();
        return false;
      });
  EXPECT_TRUE(reached);
  ASSERT_EQ(said.size(), 1U);
  EXPECT_THAT(said.front(), HasSubstr("waiting for it, up to 60 s"));
}

// A server with a certificate, and the files that a client may use.
class KeyLogin : public testing::Test {
 protected:
  host::login_outcome login(const configured_server& server, const host::nats_security& security) {
    return host::try_login({.url = "nats://" + server.address(), .security = security}, "test");
  }
  std::string file(const std::string& name, const std::string& content) {
    std::ofstream(folder_.path() / name) << content;
    return folder_.path() / name;
  }

  temporary_directory folder_;
};

TEST_F(KeyLogin, ByNkey) {
  const nats_key user(nats_key::purpose::user);
  const configured_server server(
      fmt::format("authorization {{ users: [ {{ nkey: {} }} ] }}", user.public_key()));
  const std::string seed = file("user.nk", user.seed());
  EXPECT_TRUE(login(server, {.nkey = user.public_key(), .nkey_seed_file = seed}).succeeded);
  EXPECT_THAT(login(server, {}).reason, HasSubstr("login was refused"));
}

TEST_F(KeyLogin, ByCredentialsFile) {
  const nats_key owner(nats_key::purpose::operator_);
  const nats_key account(nats_key::purpose::account);
  const nats_key user(nats_key::purpose::user);
  constexpr char all[] = R"({"limits":{"subs":-1,"data":-1,"payload":-1,"conn":-1},)"
                         R"("type":"account","version":2})";
  const configured_server server(
      fmt::format("operator: {}\nresolver: MEMORY\nresolver_preload: {{ {}: {} }}",
                  owner.token(owner, R"({"type":"operator","version":2})"), account.public_key(),
                  owner.token(account, all)));
  const std::string credentials =
      file("user.creds",
           fmt::format("-----BEGIN NATS USER JWT-----\n{}\n"
                       "------END NATS USER JWT------\n"
                       "-----BEGIN USER NKEY SEED-----\n{}\n"
                       "------END USER NKEY SEED------\n",
                       account.token(user, R"({"type":"user","version":2})"), user.seed()));
  EXPECT_TRUE(login(server, {.credentials_file = credentials}).succeeded);
  EXPECT_THAT(login(server, {}).reason, HasSubstr("login was refused"));
}

class TlsLogin : public testing::Test {
 protected:
  TlsLogin() {
    write("ca.pem", authority_.certificate());
    write("stranger.pem", fakes::certificate_authority().certificate());
    add("client", authority_.issue("rosey"));
  }

  std::string path(const std::string& name) const { return folder_.path() / name; }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(path(name)) << text;
  }
  void add(const std::string& name, const fakes::certificate_authority::identity& who) const {
    write(name + ".pem", who.certificate);
    write(name + ".key", who.key);
  }
  std::string server_config(const std::string& more = "") const {
    return "tls { cert_file: \"" + path("server.pem") + "\", key_file: \"" + path("server.key") +
           "\"" + more + " }";
  }
  host::login_outcome login(const configured_server& server,
                            const host::nats_security& security) const {
    const std::string address = server.address();
    return host::try_login(
        {.url = "tls://localhost" + address.substr(address.rfind(':')), .security = security},
        "test");
  }

  const fakes::certificate_authority authority_;
  const temporary_directory folder_;
};

TEST_F(TlsLogin, SaysWhoseCertificateIsNotAcceptedAndWhy) {
  add("server", authority_.issue("localhost"));
  const configured_server server(server_config());
  EXPECT_TRUE(login(server, {.ca_file = path("ca.pem")}).succeeded);
  // Another authority of the same name.
  const auto unknown = login(server, {.ca_file = path("stranger.pem")});
  EXPECT_EQ(unknown.kind, host::login_failure::refused) << "waiting does not help";
  EXPECT_THAT(unknown.reason,
              HasSubstr("the server's certificate '/CN=localhost', issued by '/CN=Test authority', "
                        "is not accepted: certificate signature failure"));
  EXPECT_THROW(login(server, {.ca_file = path("nowhere")}), std::runtime_error);
}

TEST_F(TlsLogin, SaysThatACertificateHasExpired) {
  add("server", authority_.issue("localhost", -60s));
  const configured_server server(server_config());
  EXPECT_THAT(login(server, {.ca_file = path("ca.pem")}).reason,
              HasSubstr("is not accepted: certificate has expired"));
}

TEST_F(TlsLogin, ShowsACertificateOfOurs) {
  add("server", authority_.issue("localhost"));
  const configured_server server(
      server_config(", ca_file: \"" + path("ca.pem") + "\", verify: true"));
  EXPECT_THAT(login(server, {.ca_file = path("ca.pem")}).reason,
              HasSubstr("the server wants a certificate of ours"));
  EXPECT_TRUE(login(server, {.ca_file = path("ca.pem"),
                             .certificate_file = path("client.pem"),
                             .key_file = path("client.key")})
                  .succeeded);
  EXPECT_THROW(
      login(server, {.certificate_file = path("client.pem"), .key_file = path("server.key")}),
      std::runtime_error);
}

}  // namespace
}  // namespace rosey::tests
