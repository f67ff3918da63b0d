// rosey plugin: list, load, unload or reload the plugins of a running bot.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string>

#include "host_stub/bus/configured.hpp"
#include "host_stub/bus/connection.hpp"
#include "host_stub/cli/cli.hpp"
#include "host_stub/cli/signals.hpp"
#include "host_stub/output.hpp"
#include "host_stub/plugins/admin_client.hpp"

namespace rosey::host {
namespace {

struct plugin_options {
  config_options shared;
  std::string action;
  std::string name;
};

std::unique_ptr<connection> connect(const config_options& options) {
  const auto settings = options.load();
  if (!settings) throw std::runtime_error(settings.error().message);
  if (settings->nats_url.empty()) {
    throw std::runtime_error(
        "which bot? Give the URL that it printed when it was ready, with --nats-url or in "
        "ROSEY_NATS_URL");
  }
  return std::make_unique<connection>(configured(*settings, settings->nats_url, "rosey plugin"));
}

void print_list(connection& bus) {
  const auto plugins = request_plugin_list(bus, admin_timeout);
  if (!plugins) throw std::runtime_error(plugins.error().message);
  std::size_t id_width = 2;
  std::size_t version_width = 7;
  for (const listed_plugin& plugin : *plugins) {
    id_width = std::max(id_width, plugin.id.size());
    version_width = std::max(version_width, plugin.version.size());
  }
  print("{:<{}}  {:<{}}  STATE\n", "ID", id_width, "VERSION", version_width);
  for (const listed_plugin& plugin : *plugins) {
    print("{:<{}}  {:<{}}  {}\n", plugin.id, id_width, plugin.version, version_width, plugin.state);
  }
}

int run_plugin(const plugin_options& options) {
  unblock_termination_signals();
  const auto bus = connect(options.shared);
  if (options.action == "list") {
    print_list(*bus);
    return 0;
  }
  const auto done = request_plugin_action(*bus, options.action, options.name, admin_timeout);
  if (!done) throw std::runtime_error(done.error().message);
  print("{}\n", *done);
  return 0;
}

}  // namespace

void add_plugin_command(CLI::App& app, subcommand& run) {
  CLI::App* command = app.add_subcommand("plugin", "List, load, unload or reload a bot's plugins");
  command->require_subcommand(1);
  command->fallthrough();
  auto options = std::make_shared<plugin_options>();
  options->shared.add_file_option(*command);
  options->shared.add_nats_option(*command);
  for (const auto& [action, help] :
       {std::pair("list", "Show the plugins, their versions and states"),
        std::pair("load", "Load a plugin from the bot's plugins folder"),
        std::pair("unload", "Let a plugin finish its work, then unload it"),
        std::pair("reload", "Start a plugin's newest build, then let the old one finish")}) {
    CLI::App* each = command->add_subcommand(action, help);
    if (std::string_view(action) != "list") {
      each->add_option("NAME", options->name, "The plugin's id: playlist")->required();
    }
    each->callback([&run, options, chosen = std::string(action)] {
      options->action = chosen;
      run = [options] { return run_plugin(*options); };
    });
  }
}

}  // namespace rosey::host
