// A host process with several instances of one plugin, each under a manager of its own: what
// several hosts are to each other, with less to start. Ends when its input does.
//
//   several_instances NATS-URL PLUGINS-FOLDER COUNT CONFIG-JSON
#include <fmt/format.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <cstdio>
#include <exception>
#include <memory>
#include <stdexcept>
#include <vector>

#include "host_stub/bus/connection.hpp"
#include "host_stub/plugins/manager.hpp"

namespace rosey::tests {
namespace {

struct managed {
  managed(const std::string& nats_url, const std::string& folder, const std::string& config)
      : bus({.url = nats_url, .name = "several instances"}),
        plugins(bus,
                {folder, [config](const std::string&) { return result<std::string>(config); }}) {
    plugins.load_all();
    if (plugins.list().empty()) throw std::runtime_error("no plugin was loaded");
  }

  host::connection bus;
  host::plugin_manager plugins;
};

int run(const std::string& nats_url, const std::string& folder, int count,
        const std::string& config) {
  spdlog::set_default_logger(spdlog::stderr_color_mt("host"));
  std::vector<std::unique_ptr<managed>> instances;
  for (int i = 0; i < count; ++i) {
    instances.push_back(std::make_unique<managed>(nats_url, folder, config));
  }
  fmt::print(stderr, "ready\n");
  std::fflush(stderr);
  while (std::getchar() != EOF) {
  }
  return 0;
}

}  // namespace
}  // namespace rosey::tests

int main(int count, char** arguments) {
  if (count != 5) return 2;
  try {
    return rosey::tests::run(arguments[1], arguments[2], std::stoi(arguments[3]), arguments[4]);
  } catch (const std::exception& failure) {
    fmt::print(stderr, "several_instances: {}\n", failure.what());
    return 1;
  }
}
