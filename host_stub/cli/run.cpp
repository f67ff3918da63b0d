// rosey run: the bot, until its input ends or it is told to stop.
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <cstdio>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include "host_stub/address.hpp"
#include "host_stub/bot.hpp"
#include "host_stub/cli/cli.hpp"
#include "host_stub/cli/signals.hpp"
#include "host_stub/cli/waiting.hpp"
#include "host_stub/output.hpp"
#include "host_stub/plugins/crash_report.hpp"

namespace rosey::host {
namespace {

struct run_options {
  config_options shared;
  std::string channel;
  std::string user;
  std::string role;

  result<config> load() const {
    auto loaded = shared.load();
    if (!loaded) return loaded;
    for (console_settings& console : loaded->consoles) {
      if (!channel.empty()) console.channel = channel;
      if (!user.empty()) console.user = user;
      if (!role.empty()) console.role = wire::role_from(role).value_or(console.role);
    }
    return loaded;
  }
};

bot::surroundings surroundings(const run_options& options, termination& end,
                               std::function<void(const std::string&)> fail) {
  return {.reread = [options] { return options.load(); },
          .on_console_end = [&end] { end.request(); },
          .on_failure = std::move(fail),
          .should_end = [&end] { return end.requested(); },
          .waits_for = [&end](std::string step,
                              bool for_others) { end.waits_for(std::move(step), for_others); }};
}

int run_bot(const run_options& options) {
  const auto settings = options.load();
  if (!settings) throw std::runtime_error(settings.error().message);
  if (!settings->serves_storage() && settings->has_private_nats()) {
    spdlog::warn(
        "storage.enabled is false, and on a private NATS nobody else can offer one; name "
        "the NATS of a `rosey storage` with --nats-url or nats.url");
  }
  report_crashes();
  termination end;
  const auto fail = [&end](const std::string& why) {
    spdlog::error("{}; the bot ends", why);
    end.request(1);
  };
  std::unique_ptr<bot> running;
  try {
    if (!settings->has_private_nats() && !wait_for_nats(*settings, options.shared.wait, end)) {
      return 0;
    }
    running = wait_for_database<bot>(
        [&] { return std::make_unique<bot>(*settings, surroundings(options, end, fail)); },
        options.shared.wait, end);
    if (!running) return 0;
  } catch (const std::runtime_error&) {
    if (termination_requested()) return 0;  // whatever it was, nobody waits for it any more
    throw;
  }
  // Scripts wait for this line. The URL of a private server is what they and `rosey plugin` connect
  // with, so it has its token; who names another one knows its secret.
  print_error("rosey ready nats={}\n", settings->has_private_nats()
                                           ? running->nats_url()
                                           : printable_address(running->nats_url()));
  const stop_outcome outcome = running->stop(end.wait());
  if (outcome != stop_outcome::all_gone) {
    end_without_destroying(outcome == stop_outcome::stuck ? 1 : end.status());
  }
  running.reset();
  return end.status();
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
  options->shared.add_plugins_option(*command);
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
