// Puts the parts together.
#include "playlist_plugin/plugin.hpp"

#include <chrono>
#include <cstdlib>
#include <string>
#include <utility>

#include "playlist_plugin/config.hpp"
#include "playlist_plugin/handlers/chat_users.hpp"
#include "playlist_plugin/handlers/commands.hpp"
#include "playlist_plugin/handlers/imports.hpp"
#include "playlist_plugin/handlers/services.hpp"
#include "playlist_plugin/metadata/http_client.hpp"
#include "playlist_plugin/metadata/media_source.hpp"
#include "playlist_plugin/metadata/metadata_lookup.hpp"
#include "playlist_plugin/service/adding.hpp"
#include "playlist_plugin/service/announcer.hpp"
#include "playlist_plugin/service/channels.hpp"
#include "playlist_plugin/service/completion.hpp"
#include "playlist_plugin/service/messages.hpp"
#include "playlist_plugin/service/operations.hpp"
#include "playlist_plugin/service/playback.hpp"
#include "playlist_plugin/service/presence.hpp"
#include "playlist_plugin/storage/import_storage.hpp"
#include "playlist_plugin/storage/playlist_storage.hpp"
#include "rosey/wire/decode.hpp"

namespace rosey::playlist {
namespace {

http_client::settings client_settings(const metadata_config& config) {
  http_client::settings settings;
  settings.ca_file = config.ca_file;
  settings.timeout = std::chrono::milliseconds(config.timeout_ms);
  settings.name_servers = config.name_servers;
  settings.proxies = proxy_settings([](const char* name) { return std::getenv(name); });
  return settings;
}

// Showing a long import renames all its rows in one transaction.
constexpr std::chrono::minutes import_timeout{5};

}  // namespace

struct plugin::parts {
  parts(const sdk::context& context, const plugin_options& options, const plugin_config& config)
      : db(context.bus, plugin::id, options.storage_timeout, context.log),
        storage(db, config.limits.quota),
        known(context, storage, *options.time, config.playing, config.order),
        speaker(context, config.announce),
        clocks(context, storage, known, *options.time, options.retry_interval),
        client(context.executor, client_settings(config.metadata)),
        sites(client, config.metadata),
        metadata(context, db, sites, *options.time, config.metadata),
        later(context, known, metadata, speaker, *options.time, config),
        adder(known, storage, metadata, later, *options.time, config),
        present(context, storage, *options.time, config.votes),
        queue(known, storage, adder, present, *options.time, config),
        chat(context, queue),
        service(context, queue),
        people(context, queue),
        patient_db(context.bus, plugin::id, import_timeout, context.log),
        import_rows(patient_db),
        import_requests(context, import_rows, *options.time),
        paused(config.paused) {
    known.on_stored([this](const change& stored, bool reply_names_next) {
      if (!reply_names_next) speaker.announce(stored);
    });
    known.on_loaded([this](const loaded_channel& loaded) {
      present.loaded(loaded);
      if (!paused) later.take_over(loaded.state);
    });
    if (paused) return;
    known.on_change([this](const std::string& channel) { clocks.watch(channel); });
  }

  // Other instances tell by their events that a channel is no more what it was.
  void hear(const sdk::message& event) {
    const auto fields = wire::parse_object(event.payload);
    if (!fields) return;
    wire::field_reader in(*fields);
    const std::string channel = in.name("channel");
    const std::int64_t version = in.integer("version", 1);
    if (in.failed()) return;
    known.heard(channel, version, moves_the_end(event.subject));
    if (paused || event.subject != subject_of(item_added{})) return;
    if (const auto item = item_from_json(*fields)) later.take_over(channel, *item);
  }

  sdk::storage_client db;
  playlist_storage storage;
  channels known;
  announcer speaker;
  playback clocks;
  http_client client;
  media_source sites;
  metadata_lookup metadata;
  completion later;
  adding adder;
  presence present;
  operations queue;
  commands chat;
  services service;
  chat_users people;
  sdk::storage_client patient_db;
  import_storage import_rows;
  imports import_requests;
  bool paused;
};

plugin::plugin(sdk::context context, plugin_options options)
    : context_(std::move(context)), options_(std::move(options)) {}

plugin::~plugin() = default;

void plugin::start(const boost::json::object& config) {
  parts_ = std::make_unique<parts>(context_, options_, read_config(config));
  context_.bus.subscribe(all_events, "",
                         [this](const sdk::message& event) { parts_->hear(event); });
  parts_->chat.start();
  parts_->service.start();
  parts_->people.start();
  parts_->import_requests.start();
  if (parts_->paused) return;
  parts_->clocks.recover(
      [this](const channel_state& stored) { parts_->later.complete_all(stored); });
}

void plugin::stop() {
  if (parts_) parts_->present.stop();
}

}  // namespace rosey::playlist
