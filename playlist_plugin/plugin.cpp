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
      : storage_client_(context.bus, plugin::id, options.storage_timeout, context.log),
        playlist_storage_(storage_client_, config.limits.quota),
        channels_(context, playlist_storage_, *options.time, config.playing, config.order),
        announcer_(context, config.announce),
        playback_(context, playlist_storage_, channels_, *options.time, options.retry_interval),
        http_client_(context.executor, client_settings(config.metadata)),
        media_source_(http_client_, config.metadata),
        metadata_lookup_(context, storage_client_, media_source_, *options.time, config.metadata),
        completion_(context, channels_, metadata_lookup_, announcer_, *options.time, config),
        adding_(channels_, playlist_storage_, metadata_lookup_, completion_, *options.time, config),
        presence_(context, playlist_storage_, *options.time, config.votes),
        operations_(channels_, playlist_storage_, adding_, presence_, *options.time, config),
        commands_(context, operations_),
        services_(context, operations_),
        chat_users_(context, operations_),
        patient_storage_client_(context.bus, plugin::id, import_timeout, context.log),
        import_storage_(patient_storage_client_),
        imports_(context, import_storage_, *options.time),
        paused_(config.paused) {
    channels_.on_stored([this](const change& stored, bool reply_names_next) {
      if (!reply_names_next) announcer_.announce(stored);
    });
    channels_.on_loaded([this](const loaded_channel& loaded) {
      presence_.loaded(loaded);
      if (!paused_) completion_.take_over(loaded.state);
    });
    if (paused_) return;
    channels_.on_change([this](const std::string& channel) { playback_.watch(channel); });
  }

  // Other instances tell by their events that a channel is no more what it was.
  void hear(const sdk::message& event) {
    const auto fields = wire::parse_object(event.payload);
    if (!fields) return;
    wire::field_reader in(*fields);
    const std::string channel = in.name("channel");
    const std::int64_t version = in.integer("version", 1);
    if (in.failed()) return;
    channels_.heard(channel, version, moves_the_end(event.subject));
    if (paused_ || event.subject != subject_of(item_added{})) return;
    if (const auto item = item_from_json(*fields)) completion_.take_over(channel, *item);
  }

  sdk::storage_client storage_client_;
  playlist_storage playlist_storage_;
  channels channels_;
  announcer announcer_;
  playback playback_;
  http_client http_client_;
  media_source media_source_;
  metadata_lookup metadata_lookup_;
  completion completion_;
  adding adding_;
  presence presence_;
  operations operations_;
  commands commands_;
  services services_;
  chat_users chat_users_;
  sdk::storage_client patient_storage_client_;
  import_storage import_storage_;
  imports imports_;
  bool paused_;
};

plugin::plugin(sdk::context context, plugin_options options)
    : context_(std::move(context)), options_(std::move(options)) {}

plugin::~plugin() = default;

void plugin::start(const boost::json::object& config) {
  parts_ = std::make_unique<parts>(context_, options_, read_config(config));
  context_.bus.subscribe(all_events, "",
                         [this](const sdk::message& event) { parts_->hear(event); });
  parts_->commands_.start();
  parts_->services_.start();
  parts_->chat_users_.start();
  parts_->imports_.start();
  if (parts_->paused_) return;
  parts_->playback_.recover(
      [this](const channel_state& stored) { parts_->completion_.complete_all(stored); });
}

void plugin::stop() {
  if (parts_) parts_->presence_.stop();
}

}  // namespace rosey::playlist
