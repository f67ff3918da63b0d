// The smallest useful plugin: one verb, one event listener, one timer.
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json/serialize.hpp>
#include <chrono>
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
  static constexpr sdk::verb verbs[] = {
      {"hello", "rosey.command.hello.hello", "", "Says hello", wire::role::user}};

  explicit hello(sdk::context context) : context_(std::move(context)) {}

  void start(const boost::json::object& config) {
    wire::field_reader in(config);
    greeting_ = in.text_or("greeting", "Hello");
    if (in.failed()) throw std::runtime_error(in.failure().message);
    context_.bus.subscribe(verbs[0].subject, id, [this](sdk::message m) { on_hello(m); });
    context_.bus.subscribe("playlist.item.added", "", [this](sdk::message) { ++songs_; });
    context_.tasks.spawn_until_stop("clock", count_minutes());
  }

 private:
  void on_hello(const sdk::message& message) {
    const auto request = wire::decode_command(message.payload);
    const auto reply = request ? wire::succeeded(greeting_ + ", " + request->user + "! " + seen())
                               : wire::failed(request.error());
    context_.bus.publish(message.reply, boost::json::serialize(wire::to_json(reply)));
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
};

ROSEY_PLUGIN(hello)
