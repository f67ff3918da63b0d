// The smallest useful plugin: one verb, one event listener, one timer.
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <stdexcept>
#include <string>
#include <utility>

#include "rosey/sdk/plugin.hpp"

namespace asio = boost::asio;
namespace sdk = rosey::sdk;
namespace wire = rosey::wire;

class hello {
 public:
  static constexpr char id[] = "hello";
  static constexpr char version[] = "1.0.0";

  explicit hello(sdk::context context) : context_(std::move(context)) {}

  void start(const boost::json::object& config) {
    wire::field_reader in(config);
    greeting_ = in.text_or("greeting", "Hello");
    if (in.failed()) throw std::runtime_error(in.failure().message);
    sdk::serve_verbs(context_, *this);
    context_.bus.subscribe("playlist.item.added", "", [this](sdk::message) { ++songs_; });
    context_.tasks.spawn_until_stop("clock", [this] { return count_minutes(); });
  }

 private:
  sdk::reply greet(const sdk::command& asked) {
    return wire::succeeded(greeting_ + ", " + asked.user + "! " + seen());
  }

  std::string seen() const {
    return std::to_string(songs_) + " songs in " + std::to_string(minutes_) + " minutes";
  }

  asio::awaitable<void> count_minutes() {
    for (asio::steady_timer timer(context_.executor);; ++minutes_) {
      timer.expires_after(std::chrono::minutes(1));
      co_await timer.async_wait(asio::use_awaitable);
    }
  }

  sdk::context context_;
  std::string greeting_;
  int songs_ = 0;
  int minutes_ = 0;

 public:
  static constexpr sdk::handled_verb<hello> verbs[] = {
      {.name = "hello", .help = "Says hello", .handle = &hello::greet}};
};

ROSEY_PLUGIN(hello)
