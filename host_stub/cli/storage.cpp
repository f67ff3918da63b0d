// rosey storage: the storage service alone, for hosts that run elsewhere.
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <cstdio>
#include <memory>
#include <stdexcept>

#include "host_stub/address.hpp"
#include "host_stub/cli/cli.hpp"
#include "host_stub/cli/signals.hpp"
#include "host_stub/cli/waiting.hpp"
#include "host_stub/output.hpp"
#include "host_stub/storage_node.hpp"

namespace rosey::host {
namespace {

int run_storage(const config_options& options) {
  const auto settings = options.load();
  if (!settings) throw std::runtime_error(settings.error().message);
  if (settings->nats_url.empty()) {
    throw std::runtime_error(
        "the storage service needs a NATS that its users are on; name it with --nats-url or "
        "nats.url");
  }
  termination end;
  if (!wait_for_nats(*settings, options.wait, end)) return 0;
  const auto node = wait_for_database<storage_node>(
      [&] {
        return std::make_unique<storage_node>(settings->nats_url, *settings,
                                              [&end](const std::string&) { end.request(1); });
      },
      options.wait, end);
  if (!node) return 0;
  print_error("rosey ready nats={}\n", printable_address(settings->nats_url));
  end.wait();
  end.waits_for("the storage, whose database does not answer,", true);
  node->leave_nats(std::chrono::milliseconds(500));
  return end.status();
}

}  // namespace

void add_storage_command(CLI::App& app, subcommand& run) {
  CLI::App* command =
      app.add_subcommand("storage", "Run the storage service alone, on a NATS that exists");
  auto options = std::make_shared<config_options>();
  options->add_file_option(*command);
  options->add_nats_option(*command);
  options->add_wait_option(*command);
  options->add_storage_options(*command);
  options->add_plugins_option(*command);
  command->callback([&run, options] { run = [options] { return run_storage(*options); }; });
}

}  // namespace rosey::host
