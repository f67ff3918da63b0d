// rosey run: the bot, until its input ends or it is told to stop.
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

#include "host_stub/address.hpp"
#include "host_stub/bot.hpp"
#include "host_stub/cli/cli.hpp"
#include "host_stub/cli/signals.hpp"
#include "host_stub/cli/waiting.hpp"
#include "host_stub/output.hpp"

namespace rosey::host {
namespace {

struct run_options {
  config_options shared;
  std::string plugins;
  std::string channel;
  std::string user;
  std::string role;

  result<config> load() const {
    auto loaded = shared.load();
    if (!loaded) return loaded;
    if (!plugins.empty()) loaded->plugin_directory = plugins;
    for (console_settings& console : loaded->consoles) {
      if (!channel.empty()) console.channel = channel;
      if (!user.empty()) console.user = user;
      if (!role.empty()) console.role = wire::role_from(role).value_or(console.role);
    }
    return loaded;
  }
};

int run_bot(const run_options& options) {
  const auto settings = options.load();
  if (!settings) throw std::runtime_error(settings.error().message);
  if (!settings->serves_storage() && settings->has_private_nats()) {
    spdlog::warn(
        "storage.enabled is false, and on a private NATS nobody else can offer one; name "
        "the NATS of a `rosey storage` with --nats-url or nats.url");
  }
  termination end;
  if (!settings->nats_url.empty() && !wait_for_nats(*settings, options.shared.wait)) return 0;
  bot running(
      *settings, [options] { return options.load(); }, [&end] { end.request(); });
  // Scripts wait for this line. The URL of a private server is what they and `rosey plugin` connect
  // with, so it has its token; whoever names another one knows its secret.
  print_error("rosey ready nats={}\n", settings->nats_url.empty()
                                           ? running.nats_url()
                                           : printable_address(running.nats_url()));
  end.wait();
  if (!running.stop()) {
    spdlog::error("a plugin did not stop; ending without it");
    std::fflush(nullptr);
    std::_Exit(1);  // its threads still run: nothing may be destroyed under them
  }
  return 0;
}

}  // namespace

void add_run_command(CLI::App& app, subcommand& run) {
  CLI::App* command = app.add_subcommand("run",
                                         "Run the bot: NATS (a private server, unless a URL is "
                                         "given), storage, plugins, console chat");
  auto options = std::make_shared<run_options>();
  options->shared.add_file_option(*command);
  options->shared.add_nats_option(*command);
  options->shared.add_wait_option(*command);
  options->shared.add_storage_options(*command);
  command->add_option("--plugins", options->plugins, "Folder of the plugins (lib<name>.so)");
  command->add_option("--channel", options->channel, "Channel that the console speaks in");
  command->add_option("--user", options->user, "Name that the console speaks under");
  command->add_option("--role", options->role, "Role of the console's user")
      ->check(CLI::IsMember({"user", "moderator", "admin"}));
  command->footer(
      "In the console, /as NAME [ROLE] speaks as somebody else. The bot ends when its input does, "
      "or on SIGINT or SIGTERM.");
  command->callback([&run, options] { run = [options] { return run_bot(*options); }; });
}

}  // namespace rosey::host
