// A plugin that remembers: "!note <text>" keeps a channel's note in storage, "!note" shows it.
#include <boost/asio/awaitable.hpp>
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

  explicit notes(sdk::context context)
      : context_(std::move(context)),
        storage_(context_.bus, id, std::chrono::seconds(2), context_.log) {}

  void start(const boost::json::object&) { sdk::serve_verbs(context_, *this); }

 private:
  // What waits for storage is a coroutine. If storage is away, this throws, and the SDK answers.
  asio::awaitable<sdk::reply> note(const sdk::command& asked) {
    if (asked.args.empty()) co_return co_await show(asked.channel);
    co_return co_await keep(asked.channel, asked.args);
  }

  asio::awaitable<sdk::reply> show(std::string channel) {
    const auto kept = co_await storage_.kv_get(std::move(channel));
    if (!kept) co_return kept.error();
    if (!kept->exists) co_return wire::succeeded("There is no note");
    co_return wire::succeeded("Note: " + std::string(kept->value.as_string()));
  }

  asio::awaitable<sdk::reply> keep(std::string channel, std::string text) {
    const boost::json::value value(text);
    const auto done = co_await storage_.kv_set(std::move(channel), value);
    if (!done) co_return done.error();
    co_return wire::succeeded("Noted");
  }

  sdk::context context_;
  sdk::storage_client storage_;

 public:
  static constexpr sdk::handled_verb<notes> verbs[] = {{.name = "note",
                                                        .arguments = "[text]",
                                                        .help = "Keeps a note, or shows it",
                                                        .handle = &notes::note}};
};

ROSEY_PLUGIN(notes)
