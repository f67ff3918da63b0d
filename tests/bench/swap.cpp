// How long nobody is answered while the plugin is swapped, at a steady rate of commands.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <stdexcept>
#include <thread>

#include "bench/adds.hpp"
#include "bench/groups.hpp"
#include "bench/playlist_host.hpp"

namespace rosey::bench {
namespace {

constexpr std::chrono::milliseconds pace{2};  // 500 a second
constexpr int crowded_channels = 50;

// Sends at its pace, whether answers come or not, and notes when they do.
class steady_crowd {
 public:
  explicit steady_crowd(const std::string& nats_url)
      : bus_({.url = nats_url, .name = "bench crowd"}) {
    const char* const inbox = "bench.crowd.*";
    auto opened = bus_.subscribe_to_bursts(
        {&inbox, 1}, "bench", [this](const std::vector<host::inbound_message>& replies) {
          for (const host::inbound_message& reply : replies) on(reply);
        });
    if (!opened) throw std::runtime_error(opened.error().message);
    answers_ = std::move(*opened);
    thread_ = std::thread([this] { type(); });
  }
  ~steady_crowd() { finish(); }
  steady_crowd(const steady_crowd&) = delete;
  steady_crowd& operator=(const steady_crowd&) = delete;

  // Returns when all is answered, or has not been for long.
  void finish() {
    if (!thread_.joinable()) return;
    enough_ = true;
    thread_.join();
    std::unique_lock lock(mutex_);
    all_answered_.wait_for(lock, std::chrono::seconds(15),
                           [this] { return answered_ == sent_.size(); });
    lock.unlock();
    answers_.reset();
  }

  // Milliseconds between one answer and the next, where either lies in that time.
  std::vector<double> gaps(steady::time_point from, steady::time_point to) const {
    const std::lock_guard lock(mutex_);
    std::vector<double> found;
    for (std::size_t i = 1; i < times_.size(); ++i) {
      if (times_[i] < from || times_[i - 1] > to) continue;
      found.push_back(seconds(times_[i] - times_[i - 1]).count() * 1000);
    }
    return found;
  }
  std::size_t unanswered() const { return sent_.size() - answered_; }
  const std::map<std::string, int>& refusals() const { return refusals_; }
  // Milliseconds of the longest wait for an answer.
  double longest_wait() const { return longest_wait_; }

 private:
  void type() {
    auto next = steady::now();
    for (std::int64_t number = 0; !enough_; ++number) {
      const std::string channel =
          fmt::format("#swap-{}-{}", number / (crowded_channels * adds_to_a_channel),
                      number % crowded_channels);
      const request add = new_add(channel, fmt::format("person-{}", number % 1000));
      {
        const std::lock_guard lock(mutex_);
        sent_.push_back(steady::now());
      }
      const auto sent =
          bus_.publish(add.subject, add.payload, fmt::format("bench.crowd.{}", number));
      if (!sent) throw std::runtime_error(sent.error().message);
      next += pace;
      std::this_thread::sleep_until(next);
    }
  }

  void on(const host::inbound_message& reply) {
    const auto now = steady::now();
    const std::string_view number = reply.subject().substr(sizeof "bench.crowd." - 1);
    std::size_t index = 0;
    std::from_chars(number.data(), number.data() + number.size(), index);
    const std::lock_guard lock(mutex_);
    times_.push_back(now);
    longest_wait_ = std::max(longest_wait_, seconds(now - sent_.at(index)).count() * 1000);
    if (reply.payload().find(R"("success":true)") == std::string_view::npos) {
      ++refusals_[std::string(reply.payload())];
    }
    if (++answered_ == sent_.size()) all_answered_.notify_one();
  }

  host::connection bus_;
  std::unique_ptr<host::burst_subscription> answers_;
  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable all_answered_;
  std::vector<steady::time_point> sent_, times_;
  std::size_t answered_ = 0;
  std::map<std::string, int> refusals_;
  double longest_wait_ = 0;
  std::atomic<bool> enough_ = false;
  std::thread thread_;
};

}  // namespace

figures measure_swap(const effort& how) {
  const playlist_host bot;
  tests::soak_client admin(bot.nats_url());
  steady_crowd crowd(bot.nats_url());
  wait(seconds(1));  // until caches are warm
  std::vector<double> longest, before;
  for (int swap = 0; swap < how.of(7, 3); ++swap) {
    const auto began = steady::now();
    wait(seconds(1.5));
    const auto swapped = steady::now();
    timed(admin, {"rosey.admin.plugin.reload", R"({"name": "playlist"})"});
    const auto done = steady::now();
    wait(seconds(0.5));
    before.push_back(quantile(crowd.gaps(began, swapped), 0.99));
    longest.push_back(quantile(crowd.gaps(swapped, done), 1));
  }
  crowd.finish();
  std::string note = fmt::format(
      "Medians of {} swaps; the longest gap of all was {:.0f} ms, the longest wait for an answer "
      "{:.0f} ms, and {} had none",
      longest.size(), quantile(longest, 1), crowd.longest_wait(), crowd.unanswered());
  if (!crowd.refusals().empty()) note += "; " + said_of(crowd.refusals());
  return {{"swap_gap", "longest gap between answers in a swap, 500 !add/s", "ms", median(longest),
           "the p99 of the gaps before it", median(before), figure::side::at_most, 10, note,
           crowd.unanswered() == 0}};
}

}  // namespace rosey::bench
