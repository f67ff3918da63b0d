// A plugin that remembers: "!note <text>" keeps a channel's note in storage, "!note" shows it.
#include <boost/asio/awaitable.hpp>
#include <boost/json/serialize.hpp>
#include <chrono>
#include <string>
#include <utility>

#include "rosey/sdk/plugin.hpp"
#include "rosey/sdk/storage_client.hpp"

namespace asio = boost::asio;
namespace sdk = rosey::sdk;
namespace wire = rosey::wire;

class notes {
 public:
  static constexpr char id[] = "notes";
  static constexpr char version[] = "1.0.0";
  static constexpr sdk::verb verbs[] = {{"note", "rosey.command.notes.note", "[text]",
                                         "Keeps a note, or shows it", wire::role::user}};

  explicit notes(sdk::context context)
      : context_(std::move(context)),
        storage_(context_.bus, id, std::chrono::seconds(2), context_.log) {}

  void start(const boost::json::object&) {
    // What waits for storage is a coroutine, and the plugin's scope owns it.
    context_.bus.subscribe(verbs[0].subject, id, [this](sdk::message message) {
      context_.tasks.spawn("note", on_note(std::move(message)));
    });
  }

 private:
  asio::awaitable<void> on_note(sdk::message message) {
    wire::command_reply reply;
    const auto request = wire::decode_command(message.payload);
    try {
      if (!request) {
        reply = wire::failed(request.error());
      } else if (request->args.empty()) {
        reply = co_await show(request->channel);
      } else {
        reply = co_await keep(request->channel, request->args);
      }
    } catch (const sdk::storage_unavailable& failure) {
      reply = wire::failed({rosey::codes::storage_unavailable, failure.what()});
    }
    context_.bus.publish(message.reply, boost::json::serialize(wire::to_json(reply)));
  }

  asio::awaitable<wire::command_reply> show(std::string channel) {
    const auto kept = co_await storage_.kv_get(std::move(channel));
    if (!kept) co_return wire::failed(kept.error());
    if (!kept->exists) co_return wire::succeeded("There is no note");
    co_return wire::succeeded("Note: " + std::string(kept->value.as_string()));
  }

  asio::awaitable<wire::command_reply> keep(std::string channel, std::string text) {
    const boost::json::value value(text);
    const auto done = co_await storage_.kv_set(std::move(channel), value);
    co_return done ? wire::succeeded("Noted") : wire::failed(done.error());
  }

  sdk::context context_;
  sdk::storage_client storage_;
};

ROSEY_PLUGIN(notes)
