// What a long queue costs, beside a short one.
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "bench/fill.hpp"
#include "bench/groups.hpp"
#include "bench/playlist_host.hpp"

namespace rosey::bench {
namespace {

// Everybody in both queues has as many items as they may have; guests have none. There is room for
// what is added.
constexpr int short_queue = 10, long_queue = most_queued - 20, items_of_one = 10;
constexpr char settings[] =
    R"({"rate_limit_count": 900, "rate_limit_seconds": 1, "max_items_per_user": 10,
        "max_duration_per_user": 1000000, "max_queue_size": 900, "min_skip_votes": 1000})";
constexpr int shuffles = 5;

void fill(const std::filesystem::path& database) {
  fill_queues(database, "#short", 1, short_queue, short_queue / items_of_one);
  fill_queues(database, "#long", 1, long_queue, long_queue / items_of_one);
  fill_queues(database, "#shuffle", shuffles, long_queue, 10);
}

// What is asked of one channel, by the number of the time; and what has to follow, untimed.
struct question {
  const char* id;
  const char* what;
  request (*ask)(const std::string& channel, int time);
  const char* refusal;
  request (*undo)(const std::string& channel, int time);
  double bound;
};

std::string guest(int time) {
  return fmt::format("guest-{}", time % 50);
}

constexpr question questions[] = {
    {"add", "!add",
     [](const std::string& channel, int time) { return new_add(channel, guest(time)); }, "",
     [](const std::string& channel, int time) { return command("remove", channel, guest(time)); },
     1.2},
    {"queue", "!queue",
     [](const std::string& channel, int) { return command("queue", channel, "owner-0"); }, "",
     nullptr, 1.5},
    {"when", "!when",
     [](const std::string& channel, int) { return command("when", channel, "owner-0"); }, "",
     nullptr, 1.5},
    {"quota", "!add beyond the quota",
     [](const std::string& channel, int) { return new_add(channel, "owner-0"); }, "quota_items",
     nullptr, 1.5},
    {"vote", "!voteskip",
     [](const std::string& channel, int time) {
       return command("voteskip", channel, fmt::format("voter-{}", time));
     },
     "", nullptr, 1.5},
};

figure compare(const question& asked, tests::soak_client& client, int times) {
  std::vector<double> of_short, of_long;
  for (int time = 0; time < times; ++time) {
    for (const auto& [channel, took] :
         {std::pair("#short-1", &of_short), std::pair("#long-1", &of_long)}) {
      took->push_back(timed(client, asked.ask(channel, time), asked.refusal));
      if (asked.undo) timed(client, asked.undo(channel, time));
    }
  }
  return {fmt::format("long_queue_{}", asked.id),
          fmt::format("{}, {} queued, median", asked.what, long_queue),
          "µs",
          median(of_long),
          fmt::format("the same with {} queued", short_queue),
          median(of_short),
          figure::side::at_most,
          asked.bound,
          fmt::format("{} is what fits: no more than {} may wait in a channel; meant are 10000",
                      long_queue, most_queued)};
}

// Somebody in another channel, who adds and removes without a pause; until finished.
class bystander {
 public:
  explicit bystander(const std::string& nats_url)
      : client_(nats_url), thread_([this] { live(); }) {}
  ~bystander() { finish(); }
  // Milliseconds of the longest wait so far, and of the one in the middle.
  std::pair<double, double> finish() {
    enough_ = true;
    if (thread_.joinable()) thread_.join();
    return {quantile(waits_, 1) / 1000, median(waits_) / 1000};
  }

 private:
  void live() {
    do {
      waits_.push_back(timed(client_, new_add("#other", "ann")));
      waits_.push_back(timed(client_, command("remove", "#other", "ann")));
    } while (!enough_);
  }

  tests::soak_client client_;
  std::atomic<bool> enough_ = false;
  std::vector<double> waits_;
  std::thread thread_;
};

figures reorder(const std::string& nats_url, tests::soak_client& client) {
  const auto channel = [](int number) { return fmt::format("#shuffle-{}", number + 1); };
  // Once, so that they are known.
  for (int i = 0; i < shuffles; ++i) timed(client, command("queue", channel(i), "ann"));
  timed(client, new_add("#other", "nobody"));
  bystander other(nats_url);
  std::vector<double> shuffled, removed;
  for (int i = 0; i < shuffles; ++i) {
    const request shuffle = command("shuffle", channel(i), "moderator", "", "moderator");
    shuffled.push_back(timed(client, shuffle) / 1000);
    removed.push_back(timed(client, command("remove", channel(i), "owner-0", "all")) / 1000);
  }
  const auto [longest, usual] = other.finish();
  const std::string note = fmt::format("Queues of {}; meant are 10000", long_queue);
  return {{"shuffle", "!shuffle, the slowest of 5", "ms", quantile(shuffled, 1), "a fixed time",
           250, figure::side::at_most, 1, note},
          {"remove_all", fmt::format("!remove all of {}, the slowest of 5", long_queue / 10), "ms",
           quantile(removed, 1), "a fixed time", 250, figure::side::at_most, 1, note},
          {"shuffle_others", "longest wait in another channel beside it", "ms", longest,
           "a fixed time", 50, figure::side::at_most, 1,
           fmt::format("It adds and removes all the time, {:.1f} ms each in the median", usual)}};
}

}  // namespace

figures measure_queue(const effort& how) {
  const playlist_host bot(settings, &fill);
  tests::soak_client client(bot.nats_url());
  figures rows;
  timed(client, new_add("#short-1", "guest-0"));
  timed(client, command("remove", "#short-1", "guest-0"));
  for (const question& each : questions) {
    rows.push_back(compare(each, client, how.of(400, 100)));
  }
  for (figure& row : reorder(bot.nats_url(), client)) rows.push_back(std::move(row));
  return rows;
}

}  // namespace rosey::bench
