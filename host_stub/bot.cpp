#include "host_stub/bot.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <utility>
#include <vector>

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
#include "rosey/wire/subjects.hpp"

namespace rosey::host {
namespace {

constexpr std::chrono::seconds flush_timeout{5};
constexpr std::chrono::milliseconds nats_patience{500};  // on the way down

plugin_manager::settings plugin_settings(const config& settings,
                                         const std::function<result<config>()>& reread) {
  return {.directory = settings.plugin_directory,
          .configuration =
              [reread](const std::string& id) {
                const auto current = reread();
                if (!current) return result<std::string>(current.error());
                const auto* section = current->plugin_config.if_contains(id);
                return result<std::string>(section ? boost::json::serialize(*section) : "{}");
              },
          .log_level = [reread](const std::string& id) -> std::optional<spdlog::level::level_enum> {
            const auto current = reread();
            if (!current) return std::nullopt;  // the configuration has said why
            const auto level = current->plugin_log_levels.find(id);
            if (level == current->plugin_log_levels.end()) return std::nullopt;
            return spdlog::level::from_str(level->second);
          },
          .refuse_writable = settings.refuse_writable_plugins};
}

// Who in the host needs a subject; "" for one of a plugin's, which has been looked at when that was
// started.
std::string_view user_of(std::string_view subject) {
  if (subject.starts_with("rosey.admin.plugin.")) return "the administration of plugins";
  if (subject == wire::subjects::chat_send) return "the console";
  if (subject.starts_with("_INBOX.")) return "the host, which waits there for answers,";
  return {};
}

void expect_permission(connection& bus) {
  if (const auto known = bus.flush(flush_timeout); !known) {
    throw std::runtime_error(known.error().message);
  }
  for (const std::string& subject : bus.refused_since(0)) {
    const std::string_view user = user_of(subject);
    if (!user.empty()) throw std::runtime_error(not_permitted({subject}, user));
  }
}

void expect_required(const std::vector<std::string>& required, const plugin_manager& plugins,
                     const load_report& report) {
  const std::vector<plugin_status> running = plugins.list();
  for (const std::string& id : required) {
    const auto is_it = [&id](const plugin_status& each) { return each.id == id && each.answers(); };
    if (std::any_of(running.begin(), running.end(), is_it)) continue;
    const auto refused =
        std::find_if(report.refused.begin(), report.refused.end(),
                     [&id](const refused_plugin& each) { return each.name == id; });
    throw std::runtime_error(fmt::format("the plugin '{}' must run (plugins.required), but {}", id,
                                         refused == report.refused.end()
                                             ? fmt::format("there is no lib{}.so with that id", id)
                                             : fmt::format("was refused: {}", refused->why)));
  }
}

void log_refused(const load_report& report) {
  if (report.refused.empty()) return;
  std::string each;
  for (const refused_plugin& plugin : report.refused) {
    each += fmt::format("{}{} ({})", each.empty() ? "" : ", ", plugin.name, plugin.why);
  }
  spdlog::error("{} of {} plugin{} {} refused: {}", report.refused.size(), report.found,
                report.found == 1 ? "" : "s", report.refused.size() == 1 ? "was" : "were", each);
}

}  // namespace

// In the order in which they need each other; they go in the reverse one.
struct bot::parts {
  parts(const config& settings, surroundings context) : around(std::move(context)) {
    if (settings.nats_url.empty()) server.emplace(around.on_failure);
    nats_url = server ? server->url() : settings.nats_url;
    go_on();
    auto connecting = configured(settings, nats_url, "rosey host");
    connecting.on_closed = around.on_failure;
    bus.emplace(connecting);
    go_on();
    if (settings.serves_storage()) {
      storage.emplace(nats_url, settings, around.on_failure);
    } else if (!settings.has_private_nats()) {
      tell_of_missing_storage(*bus);
    }
    go_on();
    plugins.emplace(*bus, plugin_settings(settings, around.reread));
    // Before the first look at the folder, so that no change falls in between.
    if (settings.watch_plugins) watcher.emplace(settings.plugin_directory);
    // Before there is a plugin, which may say something at once.
    router.emplace(
        *bus, [this] { return plugins->verbs(); },
        command_router::settings{.prefix = settings.prefix});
    if (!settings.consoles.empty() && console::is_attached()) {
      const console_settings& chosen = settings.consoles.front();
      chat.emplace(*bus, *router, console::settings{chosen.channel, chosen.user, chosen.role},
                   around.on_console_end);
    }
    const load_report report = plugins->load_all(around.should_end);
    go_on();
    if (watcher) {
      watcher->start([this, prefix = settings.prefix](const std::filesystem::path& file) {
        if (changes.post(file.string(), [this, file] { plugins->follow(file); })) return;
        spdlog::error("a change of {} is lost: too many are waiting; use {}plugin load or reload",
                      file.string(), prefix);
      });
    }
    guard.emplace(*plugins);
    admin.emplace(*bus, *plugins);
    expect_permission(*bus);
    expect_required(settings.required_plugins, *plugins, report);
    log_refused(report);
    if (chat) chat->start();
  }

  // A start that is no longer wanted ends between two steps.
  void go_on() const {
    if (around.should_end()) throw std::runtime_error("asked to end before it was ready");
  }

  const surroundings around;
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

bot::bot(const config& settings, surroundings around)
    : parts_(std::make_unique<parts>(settings, std::move(around))) {}

bot::~bot() = default;

const std::string& bot::nats_url() const {
  return parts_->nats_url;
}

// What begins new work first, then who does it. A request that still waits for an answer when the
// plugins are gone waits in vain: closing the connection says so.
stop_outcome bot::stop(std::chrono::steady_clock::time_point latest) {
  parts& all = *parts_;
  if (all.chat) all.chat->stop();
  all.admin->stop();
  all.around.waits_for("the watching of the plugins folder", false);
  all.watcher.reset();
  all.changes.drop();
  all.guard.reset();  // one that is stopped is not "no longer stuck"
  all.around.waits_for("the connection to NATS", true);
  // A request over a NATS that does not answer would wait for its deadline: so it fails now.
  if (!all.bus->flush(nats_patience)) {
    all.bus->close();
    if (all.storage) all.storage->leave_nats(std::chrono::milliseconds(1));
  }
  all.around.waits_for("the plugins", false);
  const stop_outcome outcome = all.plugins->stop_all(latest);
  all.around.waits_for("the storage, whose database does not answer,", true);
  all.storage.reset();
  all.around.waits_for("the connection to NATS", true);
  all.bus->close();
  all.around.waits_for("a command of the console", false);
  if (outcome != stop_outcome::stuck) all.chat.reset();
  all.around.waits_for("a change of a plugin, or the private nats-server,", false);
  return outcome;
}

void end_without_destroying(int status) {
  std::fflush(nullptr);
  std::_Exit(status);
}

}  // namespace rosey::host
