#include "host_stub/bot.hpp"

#include <spdlog/spdlog.h>

#include <boost/json/serialize.hpp>
#include <optional>
#include <utility>

#include "host_stub/bus/configured.hpp"
#include "host_stub/bus/nats_server.hpp"
#include "host_stub/chat/command_router.hpp"
#include "host_stub/chat/console.hpp"
#include "host_stub/lanes.hpp"
#include "host_stub/plugins/admin.hpp"
#include "host_stub/plugins/folder_watcher.hpp"
#include "host_stub/plugins/manager.hpp"
#include "host_stub/plugins/watchdog.hpp"
#include "host_stub/storage_claim.hpp"
#include "host_stub/storage_node.hpp"

namespace rosey::host {
namespace {

plugin_manager::settings plugin_settings(const config& settings,
                                         std::function<result<config>()> reread) {
  return {.directory = settings.plugin_directory,
          .configuration = [reread = std::move(reread)](const std::string& id) {
            const auto current = reread();
            if (!current) return result<std::string>(current.error());
            const auto* section = current->plugin_config.if_contains(id);
            return result<std::string>(section ? boost::json::serialize(*section) : "{}");
          }};
}

}  // namespace

// In the order in which they need each other; they go in the reverse one.
struct bot::parts {
  parts(const config& settings, std::function<result<config>()> reread,
        std::function<void()> on_console_end) {
    if (settings.nats_url.empty()) server.emplace();
    nats_url = server ? server->url() : settings.nats_url;
    bus.emplace(configured(settings, nats_url, "rosey host"));
    if (settings.serves_storage()) {
      storage.emplace(nats_url, settings);
    } else if (!settings.has_private_nats()) {
      tell_of_missing_storage(*bus);
    }
    plugins.emplace(*bus, plugin_settings(settings, std::move(reread)));
    // Before the first look at the folder, so that no change falls in between.
    if (settings.watch_plugins) watcher.emplace(settings.plugin_directory);
    // Before there is a plugin, which may say something at once.
    router.emplace(
        *bus, [this] { return plugins->verbs(); },
        command_router::settings{.prefix = settings.prefix});
    if (!settings.consoles.empty() && console::is_attached()) {
      const console_settings& chosen = settings.consoles.front();
      chat.emplace(*bus, *router, console::settings{chosen.channel, chosen.user, chosen.role},
                   std::move(on_console_end));
    }
    plugins->load_all();
    if (watcher) {
      watcher->start([this, prefix = settings.prefix](const std::filesystem::path& file) {
        if (changes.post(file.string(), [this, file] { plugins->follow(file); })) return;
        spdlog::error("a change of {} is lost: too many are waiting; use {}plugin load or reload",
                      file.string(), prefix);
      });
    }
    guard.emplace(*plugins);
    admin.emplace(*bus, *plugins);
    if (chat) chat->start();
  }

  std::string nats_url;
  std::optional<nats_server> server;
  std::optional<connection> bus;
  std::optional<storage_node> storage;
  std::optional<plugin_manager> plugins;
  lanes changes;  // of plugin files, by the file
  std::optional<folder_watcher> watcher;
  std::optional<watchdog> guard;
  std::optional<plugin_admin> admin;
  std::optional<command_router> router;
  std::optional<console> chat;
};

bot::bot(const config& settings, std::function<result<config>()> reread,
         std::function<void()> on_console_end)
    : parts_(std::make_unique<parts>(settings, std::move(reread), std::move(on_console_end))) {}

bot::~bot() = default;

const std::string& bot::nats_url() const {
  return parts_->nats_url;
}

bool bot::stop() {
  parts_->chat.reset();
  parts_->admin.reset();
  parts_->watcher.reset();
  parts_->changes.finish();
  return parts_->plugins->stop_all();
}

}  // namespace rosey::host
