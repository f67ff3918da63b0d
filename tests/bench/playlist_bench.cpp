// How fast the playlist is, each figure beside a limit that is measured in the same run.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <exception>
#include <string>
#include <vector>

#include "bench/echo.hpp"
#include "bench/groups.hpp"

namespace rosey::bench {
namespace {

struct group {
  const char* name;
  const char* what;
  figures (*measure)(const effort&);
};
constexpr group groups[] = {
    {"rest", "one !add at a time", &measure_rest},
    {"throughput", "many at a time", &measure_throughput},
    {"queue", "long queues", &measure_queue},
    {"history", "a long past", &measure_history},
    {"start", "a start with many channels, and memory", &measure_start},
    {"swap", "the plugin is swapped meanwhile", &measure_swap},
    {"hosts", "several hosts on one storage", &measure_hosts},
    {"postgresql", "one and two hosts on PostgreSQL, where it is installed", &measure_postgresql},
};

struct options {
  effort how;
  bool json = false;
  std::vector<std::string> chosen;
};

bool is_chosen(const options& asked, const std::string& name) {
  const auto& chosen = asked.chosen;
  return chosen.empty() || std::find(chosen.begin(), chosen.end(), name) != chosen.end();
}

int measure(const options& asked) {
  figures all;
  for (const group& each : groups) {
    if (!is_chosen(asked, each.name)) continue;
    fmt::print(stderr, "bench: {}\n", each.name);
    for (figure& row : each.measure(asked.how)) all.push_back(std::move(row));
  }
  fmt::print("{}", asked.json ? as_json(all) : as_table(all));
  return 0;
}

int run(int argc, char** argv) {
  using sending = echo_service::sending;
  if (argc == 4 && std::string(argv[1]) == "--echo") {
    const bool at_once = std::string(argv[3]) == "at_once";
    return echo_service::serve(argv[2], at_once ? sending::at_once : sending::buffered);
  }
  CLI::App app("Measures the playlist; compare figures only within one run.");
  options asked;
  std::vector<std::string> names;
  std::string described;
  for (const group& each : groups) {
    names.emplace_back(each.name);
    described += fmt::format("\n  {:<12}{}", each.name, each.what);
  }
  app.add_flag("--quick", asked.how.quick, "Less of everything: about a minute");
  app.add_flag("--json", asked.json, "Print JSON instead of a table");
  app.add_option("group", asked.chosen, "Some of the groups of rows")->check(CLI::IsMember(names));
  app.footer("The groups:" + described);
  CLI11_PARSE(app, argc, argv);
  return measure(asked);
}

}  // namespace
}  // namespace rosey::bench

int main(int argc, char** argv) {
  try {
    return rosey::bench::run(argc, argv);
  } catch (const std::exception& failure) {
    fmt::print(stderr, "playlist_bench: {}\n", failure.what());
    return 1;
  }
}
