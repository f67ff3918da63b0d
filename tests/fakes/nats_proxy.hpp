// A TCP proxy in front of a NATS server that breaks connections while a test runs: slow, cut,
// silent, refused, doubled.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>

namespace rosey::tests {

// Thread-safe. Each call has taken effect when it returns.
class nats_proxy {
 public:
  enum class direction { to_server, to_client };

  // Listens on a free loopback port. `server_url` names a server on loopback; what it holds before
  // the address (a token, a user) is in our url(), too. Throws std::system_error.
  explicit nats_proxy(const std::string& server_url);
  // Cuts what is left.
  ~nats_proxy();
  nats_proxy(const nats_proxy&) = delete;
  nats_proxy& operator=(const nats_proxy&) = delete;

  const std::string& url() const;

  // Everything is as in the beginning, and what was held goes on; what was forgotten does not.
  void pass();
  // What arrives from now on goes on so much later.
  void delay(std::chrono::milliseconds time);
  // Ends all connections now. What was under way is lost.
  void cut();
  // Of what arrives from now on, over all connections together, that many bytes still go on; then
  // the connection that carried the last of them ends. Inside a message, for instance. Once.
  void cut_after(direction which, std::size_t bytes);
  // Connections that exist stay silent for ever and are not closed, as behind a router that has
  // forgotten them. New ones are served.
  void forget();
  // Ends what was forgotten, as the kernels on both sides do in the end.
  void end_forgotten();
  // Nothing goes on in this direction, on new connections neither, until pass().
  void hold(direction which);
  // Both directions: connections are accepted and stay silent.
  void black_hole();
  // Ends all connections; the port is closed until pass().
  void refuse();
  // The next `lost` connections are each lost within 10 ms, the one after them stays silent for
  // ever, and those after that are served. `seed` chooses the moments.
  void storm(int lost, unsigned seed = 1);
  // Each `every`th message (not: command of the protocol) goes on twice; 0: none.
  void duplicate(direction which, unsigned every);

  struct counts {
    std::size_t accepted = 0;    // connections, ever
    std::size_t open = 0;        // connections that are not known to have ended
    std::size_t duplicated = 0;  // messages
    std::size_t bytes_to_server = 0, bytes_to_client = 0;  // that went on
  };
  counts seen() const;
  // False if it has not come about in time.
  bool wait_until(const std::function<bool(const counts&)>& reached,
                  std::chrono::milliseconds most = std::chrono::seconds(60)) const;

 private:
  class worker;
  std::unique_ptr<worker> worker_;
};

}  // namespace rosey::tests
