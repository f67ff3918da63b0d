// A site on this machine, over real TLS, with a certificate of an authority made for the test.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace rosey::fakes {

class certificate_authority {
 public:
  struct identity {
    std::string certificate;  // PEM
    std::string key;          // PEM
  };

  certificate_authority();
  ~certificate_authority();

  std::string certificate() const;  // PEM
  // One that has expired if `valid` is negative.
  identity issue(const std::string& host,
                 std::chrono::seconds valid = std::chrono::hours(24)) const;

 private:
  struct parts;
  std::unique_ptr<parts> parts_;
};

// Also plays the proxy: a connection that begins with CONNECT is taken for one to the site.
class https_server {
 public:
  struct answer {
    unsigned status = 200;
    std::string body = "{}";
    std::string type = "application/json";
    std::string location = {};
    bool held = false;  // until release()
  };
  // Called on the server's threads with the target of each request.
  using handler = std::function<answer(const std::string& target)>;

  https_server(const certificate_authority::identity& who, handler answer_to);
  ~https_server();

  std::string url(const std::string& path = {}) const;
  std::uint16_t port() const { return port_; }
  void release();

  std::vector<std::string> targets() const;  // of the requests so far
  std::vector<std::string> tunnels() const;  // "host:port authorization" of each CONNECT
  std::size_t most_at_once() const;          // requests that were being answered

 private:
  void accept_all();
  void serve(boost::asio::ip::tcp::socket& socket);

  handler answer_to_;
  boost::asio::ssl::context tls_;
  boost::asio::io_context io_;
  boost::asio::ip::tcp::acceptor acceptor_;
  std::uint16_t port_ = 0;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool released_ = false;
  bool stopping_ = false;
  std::set<int> open_;
  std::vector<std::string> targets_;
  std::vector<std::string> tunnels_;
  std::size_t busy_ = 0;
  std::size_t most_at_once_ = 0;
  std::list<std::thread> connections_;
  std::thread accepting_;
};

}  // namespace rosey::fakes
