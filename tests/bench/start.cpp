// A start with many channels, and the memory that they take.
#include <fmt/format.h>

#include <stdexcept>

#include "bench/fill.hpp"
#include "bench/groups.hpp"
#include "bench/playlist_host.hpp"

namespace rosey::bench {
namespace {

constexpr int stored_channels = 1000, stored_items = 100;

// Until each has answered.
void ask_all(const std::string& nats_url) {
  std::map<std::string, int> refusals;
  for (int round = 0; round < 100; ++round) {
    int asked = 0;
    load questions(nats_url, "start", [&asked]() -> std::optional<request> {
      if (asked == stored_channels) return std::nullopt;
      return command("queue", fmt::format("#start-{}", ++asked), "ann");
    });
    questions.start(64);
    questions.finish();
    refusals = questions.refusals();
    if (refusals.empty()) return;
  }
  throw std::runtime_error("not all channels answer: " + refusals.begin()->first);
}

double milliseconds_since(steady::time_point began) {
  return seconds(steady::now() - began).count() * 1000;
}

double read_by_shell(const std::filesystem::path& database) {
  const auto began = steady::now();
  const auto ended = tests::run(
      {"/bin/sh", "-c",
       "exec sqlite3 \"$0\" 'SELECT * FROM playlist_channel; SELECT * FROM playlist_queue ORDER BY "
       "channel, position' >/dev/null",
       database.string()},
      "/");
  if (ended.status != 0) throw std::runtime_error("sqlite3 is needed: " + ended.log);
  return milliseconds_since(began);
}

}  // namespace

figures measure_start(const effort& how) {
  playlist_host bot;
  tests::soak_client client(bot.nats_url());
  timed(client, command("queue", "#start-0", "ann"));
  const double idle = bot.resident();
  bot.stop();
  fill_queues(bot.database(), "#start", stored_channels, stored_items, 50);
  std::vector<double> starts, reads, sizes;
  for (int round = 0; round < how.of(5, 2); ++round) {
    reads.push_back(read_by_shell(bot.database()));
    const auto began = steady::now();
    bot.start();
    ask_all(bot.nats_url());
    starts.push_back(milliseconds_since(began));
    sizes.push_back(bot.resident());
    bot.stop();
  }
  constexpr double mebibyte = 1024 * 1024;
  return {
      {"start", "start until 1000 channels of 100 items answer", "ms", median(starts),
       "the sqlite3 shell reads their rows", median(reads), figure::side::at_most, 3,
       "From exec of the process to the last answer to !queue, storage included"},
      {"memory_idle", "memory of an idle host", "MiB", idle / mebibyte, "a fixed size", 30,
       figure::side::at_most, 1, "Resident, with storage in the process and shared libraries"},
      {"memory_channel", "memory of each channel of 100 items", "KiB",
       (median(sizes) - idle) / stored_channels / 1024, "a fixed size", 32, figure::side::at_most,
       1, "What the process has grown by with 1000 of them, when all were asked for"}};
}

}  // namespace rosey::bench
