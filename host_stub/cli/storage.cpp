// rosey storage: the storage service alone, for hosts that run elsewhere.
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <cstdio>
#include <memory>
#include <stdexcept>

#include "host_stub/cli/cli.hpp"
#include "host_stub/cli/signals.hpp"
#include "host_stub/storage/database.hpp"
#include "host_stub/storage_node.hpp"

namespace rosey::host {
namespace {

// The database may be started later than we are. None: told to end meanwhile.
std::unique_ptr<storage_node> start(const config& settings, termination& end) {
  while (true) {
    try {
      return std::make_unique<storage_node>(settings.nats_url, settings);
    } catch (const storage::database_unavailable& failure) {
      spdlog::warn("storage: {}; trying again", failure.what());
      if (end.wait_for(std::chrono::seconds(1))) return nullptr;
    }
  }
}

int run_storage(const config_options& options) {
  const auto settings = options.load();
  if (!settings) throw std::runtime_error(settings.error().message);
  if (settings->nats_url.empty()) {
    throw std::runtime_error(
        "the storage service needs a NATS that its users are on; name it with --nats-url or "
        "nats.url");
  }
  termination end;
  const auto node = start(*settings, end);
  if (!node) return 0;
  fmt::print(stderr, "rosey ready nats={}\n", settings->nats_url);
  std::fflush(stderr);
  end.wait();
  end.waits_for("the storage, whose database does not answer,", true);
  node->leave_nats(std::chrono::milliseconds(500));
  return 0;
}

}  // namespace

void add_storage_command(CLI::App& app, subcommand& run) {
  CLI::App* command =
      app.add_subcommand("storage", "Run the storage service alone, on a NATS that exists");
  auto options = std::make_shared<config_options>();
  options->add_file_option(*command);
  options->add_nats_option(*command);
  options->add_storage_options(*command);
  command->callback([&run, options] { run = [options] { return run_storage(*options); }; });
}

}  // namespace rosey::host
