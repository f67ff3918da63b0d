// A plugin with a table: "!quote <text>" keeps what was said in a channel, "!quote" shows the
// newest.
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstdint>
#include <string>
#include <utility>

#include "rosey/sdk/plugin.hpp"
#include "rosey/sdk/storage_client.hpp"

namespace asio = boost::asio;
namespace sdk = rosey::sdk;
namespace wire = rosey::wire;

class quote_book {
 public:
  static constexpr char id[] = "quote-book";
  static constexpr char version[] = "1.0.0";
  static constexpr std::uint32_t schema = 1;  // the newest migration that this code needs

  explicit quote_book(sdk::context context)
      : context_(std::move(context)),
        storage_(context_.bus, id, std::chrono::seconds(2), context_.log) {}

  void start(const boost::json::object&) { sdk::serve_verbs(context_, *this); }

 private:
  asio::awaitable<sdk::reply> quote(const sdk::command& asked) {
    if (asked.args.empty()) co_return co_await newest(asked.channel);
    boost::json::object row;
    row["channel"] = asked.channel;
    row["said"] = asked.args;
    row["kept_by"] = asked.user;
    // The table is "quote-book_quotes"; requests leave the plugin's id out.
    const auto kept = co_await storage_.insert("quotes", std::move(row));
    if (!kept) co_return kept.error();
    co_return wire::succeeded("Quote #" + std::to_string(kept->ids.front()) + " is kept");
  }

  asio::awaitable<sdk::reply> newest(std::string channel) {
    wire::db::select_request wanted;
    wanted.table = "quotes";
    wanted.filter["channel"] = channel;
    wanted.order.push_back({"id", true});
    wanted.limit = 1;
    const auto found = co_await storage_.select(std::move(wanted));
    if (!found) co_return found.error();
    if (found->rows.empty()) co_return wire::succeeded("Nothing was said here yet");
    const boost::json::object& row = found->rows.front().as_object();
    co_return wire::succeeded("“" + std::string(row.at("said").as_string()) + "”, kept by " +
                              std::string(row.at("kept_by").as_string()));
  }

  sdk::context context_;
  sdk::storage_client storage_;

 public:
  static constexpr sdk::handled_verb<quote_book> verbs[] = {
      {.name = "quote",
       .arguments = "[text]",
       .help = "Keeps a quote, or shows the newest",
       .handle = &quote_book::quote}};
};

ROSEY_PLUGIN(quote_book)
